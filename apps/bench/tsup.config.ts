import { defineConfig } from 'tsup'
import { program } from '../../tsup.preset'

// The children are programs of their own, which the benchmark starts.
const children = [
  'rowwise',
  'tfjs-layers',
  'onnxruntime',
  'jax',
  'brain',
  'peak',
  'quiet',
  'probe',
  'curve',
  'chromium',
]
const entry = {
  'rowwise-bench': 'src/rowwise-bench.ts',
  ...Object.fromEntries(children.map((name) => [`children/${name}-child`, `src/children/${name}-child.ts`])),
}

// What runs in a browser is one file, everything in it, with the packages' browser entries.
const browser = program({
  entry: { 'browser/worker': 'src/browser/worker.ts' },
  platform: 'browser',
  noExternal: [/./],
  external: [],
})

export default defineConfig([
  { ...program({ entry, external: ['@tensorflow/tfjs-layers', 'playwright-core'] }), splitting: true },
  { ...browser, clean: false, shims: false, sourcemap: false, minify: true },
])
