export { environmentVariable } from './environment'
export { finders, packageDirectory, packageDirectoryBy, startingPoints } from './installed-packages'
