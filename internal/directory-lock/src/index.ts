export { DirectoryInUseError } from './error'
export { DirectoryLock, type Holder } from './lock'
