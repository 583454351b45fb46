// Prints which backend runs here, why the better ones do not, and whether the kernels are native code.
import { selectBackend } from '@rowwise/backend-select'
import { kernelReport } from '@rowwise/rnn-kernels'

const isNative = kernelReport().path === 'native'
process.stdout.write(JSON.stringify({ ...(await selectBackend({ prefer: 'auto' })), isNative }))
