export { backendCopies, copiedTensor, filledTensor, hostTensor, takeOver } from './host-tensor'
export { type HostArray, hostValues, keepHostValues, readIntegers, readValues } from './values'
