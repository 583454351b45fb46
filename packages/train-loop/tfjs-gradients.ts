import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, relative, resolve } from 'node:path'
import type { Plugin } from 'esbuild'

const CORE = '@tensorflow/tfjs-core'
const require = createRequire(import.meta.url)
const dist = dirname(require.resolve(CORE))
const core = require(CORE) as Record<string, unknown>

/** Modules of tfjs-core whose content its entry point hands out under one name. */
const NAMESPACES: Readonly<Record<string, string>> = {
  util: 'util',
  util_base: 'util',
  'ops/axis_util': 'backend_util',
  'ops/broadcast_util': 'broadcast_util',
  'ops/conv_util': 'backend_util',
  'ops/selu_util': 'backend_util',
  'ops/slice_util': 'slice_util',
}

/** Modules whose exports could be taken for others of the same name. */
const NEVER_SHARED: readonly string[] = ['log', 'register_all_gradients']

/** Modules that the entry point re-exports as a whole. */
const WHOLE: readonly string[] = ['base', 'ops/ops']

/** Modules of which the gradients need no more than the part that the entry point has. */
const PARTS: readonly string[] = ['tensor', 'environment']

/**
 * tfjs-core's gradients have no entry point that Node can load, so this package inlines them. What they import is in tfjs-core's
 * entry point for the most part, and is taken from there: only the gradients' own code is inlined.
 */
export function tfjsGradients(): Plugin {
  return {
    name: 'tfjs-gradients',
    setup(build) {
      build.onResolve({ filter: /^\.{1,2}\// }, ({ path, importer, resolveDir }) => {
        if (!importer.startsWith(dist)) return null
        const module = relative(dist, resolve(resolveDir, path))
        if (module === 'engine' || module in NAMESPACES || PARTS.includes(module))
          return { path: module, namespace: 'tfjs-core' }
        return isShared(module) ? { path: CORE, external: true } : null
      })
      build.onLoad({ filter: /.*/, namespace: 'tfjs-core' }, ({ path }) => ({ contents: shim(path), resolveDir: dist }))
    },
  }
}

/** Whether everything that a module exports is in the entry point too. */
function isShared(module: string): boolean {
  if (WHOLE.includes(module)) return true
  if (NEVER_SHARED.includes(module) || module.startsWith('gradients/')) return false
  const code = codeOf(module)
  return !/^export \*/m.test(code) && exportsOf(module).every((name) => name in core)
}

function shim(module: string): string {
  if (module === 'engine') return `import { engine } from '${CORE}'\nexport const ENGINE = /* @__PURE__ */ engine()`
  if (module === 'tensor') {
    return `import { Tensor, TensorBuffer, Variable } from '${CORE}'\nexport { Tensor, TensorBuffer, Variable }\nexport const getGlobalTensorClass = () => Tensor`
  }
  if (PARTS.includes(module)) {
    return `export { ${exportsOf(module).filter((name) => name in core)} } from '${CORE}'`
  }
  const namespace = NAMESPACES[module]
  const names = Object.keys(core[namespace] as object).filter((name) => words.has(name))
  return `import { ${namespace} } from '${CORE}'\nexport const { ${names.join(', ')} } = ${namespace}`
}

/** Every word in the gradients and what is inlined with them, so that a shim need not fetch what nobody wants. */
const words = new Set(
  [...readdirSync(resolve(dist, 'gradients')).map((file) => `gradients/${file}`), 'tensor_util_env.js']
    .filter((file) => file.endsWith('.js'))
    .flatMap(
      (file) =>
        readFileSync(resolve(dist, file), 'utf8')
          .replace(/\/\*[\s\S]*?\*\//g, '')
          .match(/\w+/g) ?? [],
    ),
)

function codeOf(module: string): string {
  return readFileSync(resolve(dist, `${module}.js`), 'utf8')
}

function exportsOf(module: string): string[] {
  const code = codeOf(module)
  const declared = [...code.matchAll(/^export (?:async )?(?:const|let|function\*?|class) (\w+)/gm)].map(
    ([, name]) => name,
  )
  const listed = [...code.matchAll(/^export \{([^}]*)\}/gm)].flatMap(([, list]) => list.split(','))
  return [
    ...declared,
    ...listed.map(
      (item) =>
        item
          .trim()
          .split(/\s+as\s+/)
          .at(-1) as string,
    ),
  ].filter(Boolean)
}
