export { backendCopies, endLoan, hostTensor, lentTensor } from './host-tensor'
export { forgetHostValues, hostValues, keepHostValues, readIntegers, readValues } from './values'
