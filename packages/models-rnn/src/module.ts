import type { StateDict } from '@rowwise/safetensors'
import { type Tensor, tensor, type Variable, variable } from '@tensorflow/tfjs-core'
import { classNameOf } from './class-name'
import { ModuleDisposedError } from './errors'
import { assignValues } from './state-dict/assign'
import { fitStateDict } from './state-dict/fit'
import { checkLoadOptions, LOAD_OPTIONS, type LoadStateDictOptions } from './state-dict/load-options'

/** Trainable tensors by PyTorch's names, in the order of `named_parameters()`. */
export type NamedParameters = Readonly<Record<string, Variable>>

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
  /** The class's name in messages, also where a bundler renames the class; a subclass has its own. */
  static readonly name: string = 'Module'
  /** Whether layers such as dropout behave as in training; set by {@link Module.train} and {@link Module.eval}. */
  training = true
  private readonly ownParameters = new Map<string, Variable>()
  private readonly children = new Map<string, Module>()
  private isDisposed = false

  /**
   * Trainable tensors by name, in PyTorch's order: this module's own, then each child's under `child.`.
   *
   * @throws {@link ModuleDisposedError} after {@link Module.dispose}.
   */
  parameters(): NamedParameters {
    this.requireUsable()
    const named: Record<string, Variable> = Object.fromEntries(this.ownParameters)
    for (const [child, module] of this.children) {
      for (const [name, parameter] of Object.entries(module.parameters())) named[`${child}.${name}`] = parameter
    }
    return named
  }

  /**
   * Everything a checkpoint of this module needs, by PyTorch's names; the tensors remain the module's.
   *
   * @throws {@link ModuleDisposedError} after {@link Module.dispose}.
   */
  stateDict(): Readonly<Record<string, Tensor>> {
    return this.parameters()
  }

  /**
   * Takes over weights by name, after `torch.nn.Module.load_state_dict`. Everything is checked before anything changes.
   *
   * Prefixes that wrappers add to names (`module.` of DataParallel, `_orig_mod.` of torch.compile, `model.` of Lightning) are
   * taken off where the names do not fit with them; other names are mapped by `rename`. Floats of 16 and 64 bits become float32.
   * Tensors beside the module's that are not floats (counters, quantised and complex numbers) are left alone.
   *
   * @throws {@link StateDictError} that lists every missing and unexpected name, every wrong shape and every tensor that is
   * disposed, not of floats, or has a NaN or infinite weight; {@link ModuleOptionError} for a wrong option.
   * @example
   * ```ts
   * layer.loadStateDict(tensors, { rename: { 'encoder.lstm': '' }, strict: false, onNote: console.log })
   * ```
   */
  loadStateDict(stateDict: StateDict, options: LoadStateDictOptions = {}): void {
    const owner = classNameOf(this)
    checkLoadOptions(`${owner}.loadStateDict`, options, LOAD_OPTIONS)
    const parameters = this.parameters()
    const sizes = Object.entries(parameters).map(([name, { shape }]) => [name, { shape, options: {} }])
    const { values, notes } = fitStateDict(owner, Object.fromEntries(sizes), stateDict, options)
    assignValues(parameters, values)
    for (const note of notes) options.onNote?.(note)
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
    this.isDisposed = true
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

  /**
   * To be called first in `forward`.
   *
   * @throws {@link ModuleDisposedError} after {@link Module.dispose}, or when a parameter was disposed by itself.
   */
  protected requireUsable(): void {
    const disposed = this.findDisposed()
    if (disposed === undefined) return
    const what = disposed === '' ? 'this' : `${disposed} of this`
    throw new ModuleDisposedError(
      `${what} ${classNameOf(this)} was disposed; build another one, or dispose it after its last use`,
    )
  }

  /** The name of what is disposed: empty for the module itself, undefined when all of it is alive. */
  private findDisposed(): string | undefined {
    if (this.isDisposed) return ''
    for (const [name, parameter] of this.ownParameters) if (parameter.isDisposed) return name
    for (const [child, module] of this.children) {
      const disposed = module.findDisposed()
      if (disposed !== undefined) return disposed === '' ? child : `${child}.${disposed}`
    }
    return undefined
  }
}
