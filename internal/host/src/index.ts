export { environmentVariable } from './environment'
export { packageDirectory, packageDirectoryFrom, startingPoints } from './installed-packages'
export { decodeUtf8, encodeUtf8, md5, sha256 } from './platform'
export { isTypedArray } from './typed-arrays'
