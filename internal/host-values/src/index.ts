export { HOST_BACKENDS, isHostBackend, moveToCurrentBackend } from './host-backends'
export {
  backendCopies,
  copiedTensor,
  filledTensor,
  type HeldValues,
  holdValues,
  hostTensor,
  passingTensor,
  takeOver,
} from './host-tensor'
export { giveArray, takeArray } from './recycler'
export { awaitValues, type HostArray, hostValues, keepHostValues, readIntegers, readValues } from './values'
