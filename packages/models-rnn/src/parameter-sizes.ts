import { ModuleOptionError } from './errors'

/** Parameters of one tensor: 1 GiB. Engines refuse arrays of more than 2 to 4 GiB, and training holds four of each size. */
const MAX_PARAMETERS = 2 ** 28

/** Parameters of a module: 4 GiB, all that WebAssembly can address. */
const MAX_TOTAL_PARAMETERS = 2 ** 30

/** Tensors of a module: as many as a safetensors file may have. */
const MAX_TENSORS = 4096

/** The shape of a parameter, and the options that make it so. */
export interface ParameterSize {
  shape: number[]
  /** Options and their values; the first is the one to make smaller. */
  options: Readonly<Record<string, number>>
}

/** Parameters by name, in PyTorch's order. */
export type ParameterSizes = Readonly<Record<string, ParameterSize>>

/**
 * Refuses sizes that cannot be allocated, before anything is.
 *
 * @throws {@link ModuleOptionError} with the options, the number of parameters, their bytes and the limit.
 */
export function requireAllocatable(owner: string, sizes: ParameterSizes): void {
  let total = 0
  for (const [name, { shape, options }] of Object.entries(sizes)) {
    const parameters = shape.reduce((product, size) => product * size, 1)
    const named = Object.entries(options).map(([option, value]) => `${option} ${value}`)
    if (parameters > MAX_PARAMETERS) {
      throw new ModuleOptionError(
        `${owner}: ${named.join(' with ')} needs ${name} of shape [${shape}], ${parameters} parameters (${gibibytes(parameters)}); ` +
          `a tensor may have at most ${MAX_PARAMETERS} (${gibibytes(MAX_PARAMETERS)}), so make ${Object.keys(options).join(' or ')} smaller`,
      )
    }
    total += parameters
  }
  if (total > MAX_TOTAL_PARAMETERS) {
    throw new ModuleOptionError(
      `${owner}: the options ask for ${total} parameters (${gibibytes(total)}); a module may have at most ` +
        `${MAX_TOTAL_PARAMETERS} (${gibibytes(MAX_TOTAL_PARAMETERS)}), so make it smaller`,
    )
  }
}

/** Refuses layers whose tensors would be more than a file may hold. */
export function requireFewTensors(owner: string, numLayers: number, tensorsPerLayer: number): void {
  if (numLayers * tensorsPerLayer > MAX_TENSORS) {
    throw new ModuleOptionError(
      `${owner}: numLayers ${numLayers} needs ${numLayers * tensorsPerLayer} tensors; a module may have at most ${MAX_TENSORS} ` +
        `of them, ${Math.floor(MAX_TENSORS / tensorsPerLayer)} layers`,
    )
  }
}

/** An array for a parameter's values; the machine may have less memory than the limits allow. */
export function allocate(owner: string, name: string, { shape, options }: ParameterSize): Float32Array {
  const parameters = shape.reduce((product, size) => product * size, 1)
  try {
    return new Float32Array(parameters)
  } catch (cause) {
    throw new ModuleOptionError(
      `${owner}: there is no memory for ${name} of shape [${shape}], ${parameters} parameters (${gibibytes(parameters)}); ` +
        `make ${Object.keys(options).join(' or ')} smaller`,
      { cause },
    )
  }
}

function gibibytes(parameters: number): string {
  return `${Number(((parameters * 4) / 2 ** 30).toPrecision(3))} GiB`
}
