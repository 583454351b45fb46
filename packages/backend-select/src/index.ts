export { isRowwiseError } from '@rowwise/errors'
export { BackendOptionError, DuplicateCoreError } from './errors'
export type { BackendName, ReasonCode, Rejection } from './reasons'
export { type SelectBackendOptions, type SelectedBackend, selectBackend } from './select-backend'
