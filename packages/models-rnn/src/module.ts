import type { ArrayWithShape, Safetensor, StateDict } from '@rowwise/safetensors'
import { Tensor, tensor, type Variable, variable } from '@tensorflow/tfjs-core'
import { StateDictError } from './errors'

/** Trainable tensors by PyTorch's names, in the order of `named_parameters()`. */
export type NamedParameters = Readonly<Record<string, Variable>>

/** How {@link Module.loadStateDict} treats what does not fit. */
export interface LoadStateDictOptions {
  /** Refuse missing and unexpected names. @default true */
  strict?: boolean
  /** Accept NaN and infinite weights. @default false */
  allowNonFinite?: boolean
}

/**
 * The base of models and layers, after `torch.nn.Module`: named parameters, children, a state dict, train and eval modes.
 *
 * A module owns its parameters: they live until {@link Module.dispose}, also where `parameters()` or `stateDict()` show them.
 *
 * @example
 * ```ts
 * class Scale extends Module {
 *   private readonly weight = this.registerParameter('weight', Float32Array.of(1), [1])
 *   forward(inputs: Tensor) { return mul(inputs, this.weight) }
 * }
 * ```
 */
export abstract class Module {
  /** Whether layers such as dropout behave as in training; set by {@link Module.train} and {@link Module.eval}. */
  training = true
  private readonly ownParameters = new Map<string, Variable>()
  private readonly children = new Map<string, Module>()

  /** Trainable tensors by name, in PyTorch's order: this module's own, then each child's under `child.`. */
  parameters(): NamedParameters {
    const named: Record<string, Variable> = Object.fromEntries(this.ownParameters)
    for (const [child, module] of this.children) {
      for (const [name, parameter] of Object.entries(module.parameters())) named[`${child}.${name}`] = parameter
    }
    return named
  }

  /** Everything a checkpoint of this module needs, by PyTorch's names; the tensors remain the module's. */
  stateDict(): Readonly<Record<string, Tensor>> {
    return this.parameters()
  }

  /**
   * Takes over weights by name, after `torch.nn.Module.load_state_dict`. Everything is checked before anything changes.
   *
   * @throws {@link StateDictError} that lists every missing and unexpected name, every wrong shape and every tensor with a
   * NaN or infinite weight.
   */
  loadStateDict(stateDict: StateDict, options: LoadStateDictOptions = {}): void {
    const { strict = true, allowNonFinite = false } = options
    const parameters = this.parameters()
    const problems = [
      ...(strict ? nameProblems(Object.keys(parameters), Object.keys(stateDict)) : []),
      ...valueProblems(parameters, stateDict, allowNonFinite),
    ]
    if (problems.length > 0) {
      throw new StateDictError(`the state dict does not fit ${this.constructor.name}: ${problems.join('; ')}`)
    }
    for (const [name, parameter] of Object.entries(parameters)) {
      if (!Object.hasOwn(stateDict, name)) continue
      const copy = tensor(Float32Array.from(valuesOf(stateDict[name]) as Float32Array), parameter.shape, 'float32')
      parameter.assign(copy)
      copy.dispose()
    }
  }

  /** Switches this module and its children to training (or with `false` to evaluation). */
  train(mode = true): this {
    this.training = mode
    for (const child of this.children.values()) child.train(mode)
    return this
  }

  /** Switches this module and its children to evaluation. */
  eval(): this {
    return this.train(false)
  }

  /** Frees every parameter; the module cannot be used afterwards. */
  dispose(): void {
    for (const parameter of this.ownParameters.values()) parameter.dispose()
    for (const child of this.children.values()) child.dispose()
  }

  /** Makes a trainable float32 tensor that belongs to this module. */
  protected registerParameter(name: string, values: Float32Array, shape: number[]): Variable {
    const initial = tensor(values, shape, 'float32')
    const parameter = variable(initial)
    initial.dispose()
    this.ownParameters.set(name, parameter)
    return parameter
  }

  /** Makes `module` a child: its parameters appear under `name.`. */
  protected registerModule<Child extends Module>(name: string, module: Child): Child {
    this.children.set(name, module)
    return module
  }
}

function nameProblems(expected: string[], found: string[]): string[] {
  const missing = expected.filter((name) => !found.includes(name))
  const unexpected = found.filter((name) => !expected.includes(name))
  return [
    ...(missing.length > 0 ? [`missing ${missing.join(', ')}`] : []),
    ...(unexpected.length > 0 ? [`unexpected ${unexpected.join(', ')}`] : []),
  ]
}

function valueProblems(parameters: NamedParameters, stateDict: StateDict, allowNonFinite: boolean): string[] {
  const problems: string[] = []
  for (const [name, parameter] of Object.entries(parameters)) {
    if (!Object.hasOwn(stateDict, name)) continue
    const { shape } = stateDict[name]
    const values = valuesOf(stateDict[name])
    if (values.length !== shape.reduce((product, size) => product * size, 1)) {
      problems.push(`${name} has shape [${shape}] but ${values.length} elements`)
    } else if (shape.join() !== parameter.shape.join()) {
      problems.push(`${name} has shape [${shape}], the model's has [${parameter.shape}]`)
    } else if (!(values instanceof Float32Array || values instanceof Float64Array)) {
      problems.push(`${name} holds no float32 numbers; convert it with .float() before saving`)
    } else if (!allowNonFinite && !(values as Float32Array).every(Number.isFinite)) {
      problems.push(`${name} has NaN or infinite weights; pass allowNonFinite: true to load them all the same`)
    }
  }
  return problems
}

function valuesOf(value: Tensor | ArrayWithShape): Safetensor['data'] {
  return value instanceof Tensor ? (value.dataSync() as Float32Array) : value.data
}
