export { DirectoryLock, type Holder } from './lock'
