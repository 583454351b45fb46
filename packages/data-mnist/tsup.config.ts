import { defineConfig } from 'tsup'
import { library } from '../../tsup.preset'

const entry = {
  index: 'src/index.ts',
  datasets: 'src/datasets.ts',
  browser: 'src/browser/index.ts',
  'browser-datasets': 'src/browser/datasets.ts',
}

// env-paths is an ES module alone, which Jest cannot require.
export default defineConfig(library({ entry, noExternal: ['env-paths'] }))
