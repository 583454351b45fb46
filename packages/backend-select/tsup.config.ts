import { defineConfig } from 'tsup'
import { library } from '../../tsup.preset'

export default defineConfig([
  library(),
  // Bundlers for browsers read ES modules, and take this one by the `browser` condition.
  { ...library({ entry: ['src/browser.ts'], format: ['esm'] }), clean: false },
])
