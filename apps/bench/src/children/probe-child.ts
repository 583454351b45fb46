// Prints which backend runs here, and why the better ones do not.
import { selectBackend } from '@rowwise/backend-select'

process.stdout.write(JSON.stringify(await selectBackend({ prefer: 'auto' })))
