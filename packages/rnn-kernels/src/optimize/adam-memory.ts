import { instantiate, kernelModule } from '../runtimes/wasm/module'
import { type AdamCoefficients, adamUpdate } from './adam-update'

/** The four arrays of one parameter, each of its size. */
export interface AdamArrays {
  /** The parameter's values. */
  readonly theta: Float32Array
  /** The gradient with respect to it. */
  readonly gradient: Float32Array
  /** Running average of the gradient. */
  readonly m: Float32Array
  /** Running average of the squared gradient. */
  readonly v: Float32Array
}

const PAGE_BYTES = 65536
/** The kernels take whole groups of floats, and arrays begin on cache lines. */
const LINE_BYTES = 64

/**
 * The arrays of all parameters of an Adam optimizer in one memory, and the step over them: WebAssembly SIMD, or plain JavaScript without
 * it, with the same bits.
 *
 * @example
 * ```ts
 * const memory = new AdamMemory([2])
 * const arrays = memory.allocate(2)
 * arrays.theta.set([1, 2])
 * arrays.gradient.set([0.5, -0.5])
 * memory.update(arrays, adamCoefficients({ lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 }, 1))
 * console.log(arrays.theta[0].toFixed(3)) // 0.999
 * ```
 */
export class AdamMemory {
  private readonly buffer: ArrayBufferLike
  private readonly step: ((arrays: AdamArrays, coefficients: AdamCoefficients) => void) | null
  private top: number

  /** @param sizes floats of every parameter that will be asked for */
  constructor(sizes: readonly number[]) {
    const bytes = sizes.reduce((sum, size) => sum + 4 * bytesFor(size), 0)
    const module = kernelModule('simd')
    if (module === null) {
      this.buffer = new ArrayBuffer(bytes)
      this.step = null
      this.top = 0
      return
    }
    // The kernels' constants and stack are in the first page.
    const pages = 2 + Math.ceil(bytes / PAGE_BYTES)
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
    const { adam } = instantiate(module, memory)
    this.buffer = memory.buffer
    this.top = 2 * PAGE_BYTES
    this.step = ({ theta, gradient, m, v }, coefficients) => {
      const { beta1, beta2, oneMinusBeta1, oneMinusBeta2, stepSize, rootCorrection, eps, weightDecay } = coefficients
      // The arrays are padded with zeros, which an Adam step leaves at zero.
      const count = bytesFor(theta.length) / 4
      const numbers = [beta1, beta2, oneMinusBeta1, oneMinusBeta2, stepSize, rootCorrection, eps, weightDecay]
      adam(theta.byteOffset, gradient.byteOffset, m.byteOffset, v.byteOffset, count, ...numbers)
    }
  }

  /** The next parameter's arrays, zero. */
  allocate(size: number): AdamArrays {
    const next = (): Float32Array => {
      const array = new Float32Array(this.buffer, this.top, size)
      this.top += bytesFor(size)
      return array
    }
    return { theta: next(), gradient: next(), m: next(), v: next() }
  }

  /** One Adam step on one parameter. */
  update(arrays: AdamArrays, coefficients: AdamCoefficients): void {
    if (this.step) this.step(arrays, coefficients)
    else adamUpdate(arrays, coefficients)
  }
}

function bytesFor(size: number): number {
  return Math.ceil((4 * size) / LINE_BYTES) * LINE_BYTES
}
