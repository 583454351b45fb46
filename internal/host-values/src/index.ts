export { HOST_BACKENDS, isHostBackend, moveToCurrentBackend } from './host-backends'
export {
  backendCopies,
  copiedTensor,
  filledTensor,
  type HeldValues,
  holdValues,
  hostTensor,
  takeOver,
} from './host-tensor'
export { awaitValues, type HostArray, hostValues, keepHostValues, readIntegers, readValues } from './values'
