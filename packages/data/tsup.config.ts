import { defineConfig } from 'tsup'
import { library } from '../../tsup.preset'

export default defineConfig(
  library({ entry: { index: 'src/index.ts', csv: 'src/csv.ts', images: 'src/images.ts' }, external: ['sharp'] }),
)
