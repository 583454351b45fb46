import { defineConfig } from 'tsup'
import { library } from '../../tsup.preset'
import { tfjsGradients } from './tfjs-gradients'

// tfjs-core's gradients are a file of their own in the ES modules, so that one sees what is ours and what is inlined.
export default defineConfig(
  library({ noExternal: [/^@tensorflow\/tfjs-core\/dist\//] }).map((preset) => ({
    ...preset,
    entry: ['src/index.ts', 'src/register-gradients.ts'],
    dts: { ...(preset.dts as object), entry: 'src/index.ts' },
    splitting: undefined,
    esbuildPlugins: [tfjsGradients()],
    esbuildOptions(options, context) {
      preset.esbuildOptions?.(options, context)
      options.chunkNames = 'tfjs-gradients'
    },
  })),
)
