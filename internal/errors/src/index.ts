export { isRowwiseError, RowwiseError } from './error'
export { type OptionNames, refuseUnknownOptions } from './options'
export { reasonOf } from './reason'
