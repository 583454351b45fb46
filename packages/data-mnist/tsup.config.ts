import { defineConfig } from 'tsup'
import { library } from '../../tsup.preset'

const entry = { index: 'src/index.ts', datasets: 'src/datasets.ts' }
const browserEntry = { browser: 'src/browser/index.ts', 'browser-datasets': 'src/browser/datasets.ts' }

export default defineConfig([
  library({ entry }),
  // Bundlers for browsers read ES modules, and take these by the `browser` condition.
  { ...library({ entry: browserEntry, format: ['esm'] }), clean: false },
])
