export { openForSaving, syncFile } from './durable'
export { makeDirectory } from './make-directory'
export {
  checkCanSave,
  fillFileAtomically,
  removeStaleTemporaries,
  writeFileAtomically,
  writeFilesAtomically,
} from './write'
