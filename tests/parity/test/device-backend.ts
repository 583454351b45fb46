import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'

/**
 * A backend that stands for a GPU: it computes what the CPU backend does, has none of our kernels, and nothing can be read from it
 * without waiting.
 */
class DeviceBackend extends MathBackendCPU {
  override readSync(dataId: object) {
    if (kernelsUnderWay === 0) throw new Error('this device cannot be read synchronously')
    return super.readSync(dataId)
  }

  override async read(dataId: object) {
    await null
    return within(() => super.readSync(dataId))
  }
}

let kernelsUnderWay = 0

/** Lets the CPU backend's own code read. */
function within<T>(compute: () => T): T {
  kernelsUnderWay += 1
  try {
    return compute()
  } finally {
    kernelsUnderWay -= 1
  }
}

/** Registers the backend `device`, once. */
export function makeDeviceBackend(): void {
  if (tf.findBackendFactory('device')) return
  tf.registerBackend('device', () => new DeviceBackend())
  for (const kernel of tf.getKernelsForBackend('cpu')) {
    if (kernel.kernelName.startsWith('Rowwise')) continue
    const kernelFunc: tf.KernelFunc = (given) => within(() => kernel.kernelFunc(given))
    tf.registerKernel({ ...kernel, backendName: 'device', kernelFunc })
  }
}
