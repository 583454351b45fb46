export { removeStaleTemporaries, writeFileAtomically, writeFilesAtomically } from './write'
