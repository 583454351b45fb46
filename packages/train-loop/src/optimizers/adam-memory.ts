import { instantiateEmbedded } from '@rowwise/embedded-wasm'
import { ADAM_MODULE } from '../generated/modules'
import { type AdamCoefficients, adamUpdate } from './adam-update'

type AdamKernel = (theta: number, gradient: number, m: number, v: number, count: number, ...rest: number[]) => void

/** The four arrays of one parameter, each of its size. */
export interface AdamArrays {
  /** The parameter's values. */
  readonly theta: Float32Array
  readonly gradient: Float32Array
  /** Running average of the gradient. */
  readonly m: Float32Array
  /** Running average of the squared gradient. */
  readonly v: Float32Array
}

/** The arrays of all parameters in one memory, and the step over them: WebAssembly SIMD, or plain JavaScript without it. */
export class AdamMemory {
  private readonly memory: { readonly buffer: ArrayBufferLike }
  private readonly kernel: AdamKernel | null
  private top = 0

  /** @param sizes floats of every parameter that will be asked for */
  constructor(sizes: readonly number[]) {
    const bytes = sizes.reduce((sum, size) => sum + 4 * bytesFor(size), 0)
    const simd = instantiateEmbedded<{ adamUpdate: AdamKernel }>(ADAM_MODULE, bytes)
    this.memory = simd?.memory ?? { buffer: new ArrayBuffer(bytes) }
    this.kernel = simd?.exports.adamUpdate ?? null
  }

  /** The next parameter's arrays, zero. */
  allocate(size: number): AdamArrays {
    const [theta, gradient, m, v] = [0, 1, 2, 3].map(() => {
      const array = new Float32Array(this.memory.buffer, this.top, size)
      this.top += bytesFor(size)
      return array
    })
    return { theta, gradient, m, v }
  }

  /** One Adam step on one parameter. */
  update({ theta, gradient, m, v }: AdamArrays, coefficients: AdamCoefficients): void {
    if (this.kernel === null) {
      adamUpdate(theta, gradient, m, v, coefficients)
      return
    }
    const { beta1, beta2, oneMinusBeta1, oneMinusBeta2, stepSize, rootCorrection, eps, weightDecay } = coefficients
    // The arrays are padded to whole vectors with zeros, which an Adam step leaves at zero.
    const count = bytesFor(theta.length) / 4
    this.kernel(
      ...([theta, gradient, m, v].map(({ byteOffset }) => byteOffset) as [number, number, number, number]),
      count,
      ...[beta1, beta2, oneMinusBeta1, oneMinusBeta2, stepSize, rootCorrection, eps, weightDecay],
    )
  }
}

function bytesFor(size: number): number {
  return Math.ceil(size / 4) * 16
}
