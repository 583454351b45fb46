export { openForSaving, syncFile } from './durable'
export { makeDirectory } from './make-directory'
export { checkCanSave, removeStaleTemporaries, writeFileAtomically, writeFilesAtomically } from './write'
