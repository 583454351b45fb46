export { backendCopies, changeLent, endLoan, hostTensor, lentTensor } from './host-tensor'
export { forgetHostValues, hostValues, keepHostValues, readIntegers, readValues, stampOf } from './values'
