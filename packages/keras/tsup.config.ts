import { defineConfig } from 'tsup'
import { library } from '../../tsup.preset'

// HDF5 is 4 MB, and loaded when a file needs it. In CommonJS it is inlined: h5wasm can only be imported.
export default defineConfig(
  library().map((preset) => ({
    ...preset,
    entry: ['src/index.ts', 'src/hdf5.ts'],
    dts: { ...(preset.dts as object), entry: 'src/index.ts' },
    noExternal: [...(preset.noExternal ?? []), ...(preset.format?.[0] === 'cjs' ? ['h5wasm'] : [])],
    esbuildPlugins: [
      {
        name: 'hdf5-by-itself',
        setup(build) {
          const path = preset.format?.[0] === 'cjs' ? './hdf5.cjs' : './hdf5.js'
          build.onResolve({ filter: /\/hdf5$/ }, ({ kind }) =>
            kind === 'dynamic-import' ? { path, external: true } : undefined,
          )
        },
      },
    ],
  })),
)
