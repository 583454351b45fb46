import { copiedTensor, takeOver } from '@rowwise/host-values'
import type { StateDict } from '@rowwise/safetensors'
import { type Tensor, Variable, variable } from '@tensorflow/tfjs-core'
import { classNameOf } from './class-name'
import { ModuleDisposedError, ModuleStructureError } from './errors'
import { flag, requireOption } from './options'
import { BRAND, isModule, partsIn } from './parts-in'
import { describeArithmetic } from './recurrent/describe'
import { assignValues } from './state-dict/assign'
import { fitStateDict } from './state-dict/fit'
import { checkLoadOptions, LOAD_OPTIONS, type LoadStateDictOptions } from './state-dict/load-options'
import { type LayerSummary, type SummaryRow, summaryTable } from './summary'

const FLAG = flag(true)

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
  /** Marks modules of every copy of this package. */
  readonly [BRAND] = true
  readonly #ownParameters = new Map<string, Variable>()
  readonly #borrowed = new Set<Variable>()
  readonly #children = new Map<string, Module>()
  #isDisposed = false
  /** Where the module is in another one, for messages; empty in none. */
  #path = ''

  /**
   * Parameters by name, in PyTorch's order: this module's own, then each child's under `child.`; one that modules share comes
   * once, under its first name.
   *
   * @throws {@link ModuleDisposedError} after {@link Module.dispose}; {@link ModuleStructureError} when a field holds a module or a
   * variable that is not registered.
   */
  parameters(): NamedParameters {
    const seen = new Set<Variable>()
    return Object.fromEntries(
      Object.entries(this.#allParameters()).filter(([, parameter]) => !seen.has(parameter) && seen.add(parameter)),
    )
  }

  /**
   * Everything a checkpoint of this module needs, by PyTorch's names; the tensors remain the module's.
   *
   * @throws {@link ModuleDisposedError} and {@link ModuleStructureError} as {@link Module.parameters}.
   */
  stateDict(): Readonly<Record<string, Tensor>> {
    return this.#allParameters()
  }

  /** The modules that this one is made of, by their names in it, after `named_children`. */
  namedChildren(): readonly (readonly [name: string, child: Module])[] {
    return [...this.#children]
  }

  /**
   * Takes over weights by name, after `torch.nn.Module.load_state_dict`. Everything is checked before anything changes.
   *
   * Prefixes that wrappers add to names (`module.` of DataParallel, `_orig_mod.` of torch.compile, `model.` of Lightning) are
   * taken off where the names do not fit with them; other names are mapped by `rename`. Floats of 16 and 64 bits become float32.
   * Tensors beside the module's that are not floats (counters, quantised and complex numbers) are left alone. Of a parameter that
   * modules share one name is enough.
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
    const parameters = this.#allParameters()
    const sizes = Object.entries(parameters).map(([name, { shape }]) => [name, { shape, options: {} }])
    const { values, notes } = fitStateDict(
      owner,
      Object.fromEntries(sizes),
      stateDict,
      options,
      (a, b) => parameters[a] === parameters[b],
    )
    assignValues(parameters, values)
    for (const note of notes) options.onNote?.(note)
  }

  /** Switches this module and its children to training (or with `false` to evaluation). */
  train(mode = true): this {
    requireOption('train()', 'mode', mode, FLAG)
    this.training = mode
    for (const child of this.#children.values()) child.train(mode)
    return this
  }

  /** Switches this module and its children to evaluation. */
  eval(): this {
    return this.train(false)
  }

  /**
   * Freezes (with `false`) or frees the parameters of this module and its children, after `torch.nn.Module.requires_grad_`: a frozen
   * parameter gets no gradient, and an optimizer that is made afterwards leaves it out.
   *
   * @example
   * ```ts
   * pretrained.requiresGrad(false)
   * const optimizer = new Adam(model) // trains the rest
   * ```
   */
  requiresGrad(isTrained = true): this {
    requireOption('requiresGrad()', 'isTrained', isTrained, FLAG)
    for (const parameter of Object.values(this.#allParameters())) parameter.trainable = isTrained
    return this
  }

  /** Whether no parameter of this module and its children is trained. */
  get isFrozen(): boolean {
    for (const { trainable } of this.#ownParameters.values()) if (trainable) return false
    for (const child of this.#children.values()) if (!child.isFrozen) return false
    return true
  }

  /**
   * A table of the layers: names, classes, shapes, parameter counts, and what computes each.
   *
   * @throws {@link ModuleDisposedError} after {@link Module.dispose}.
   */
  summary(): string {
    const parameters = Object.values(this.parameters())
    return summaryTable(this.#summaryRows(''), {
      all: parameters.reduce((sum, { size }) => sum + size, 0),
      frozen: parameters.reduce((sum, { size, trainable }) => sum + (trainable ? 0 : size), 0),
    })
  }

  /**
   * What computes the module, in words: a run that goes on where this differs differs in its last bits. The training loop notes it
   * in checkpoints.
   *
   * @example
   * ```ts
   * model.computedBy() // kernels with fused multiply-add
   * ```
   */
  computedBy(): string {
    return describeArithmetic()
  }

  /** Frees every parameter; the module cannot be used afterwards. */
  dispose(): void {
    this.#isDisposed = true
    for (const parameter of this.#ownParameters.values()) if (!this.#borrowed.has(parameter)) parameter.dispose()
    for (const child of this.#children.values()) child.dispose()
  }

  /**
   * Makes a trainable float32 tensor that belongs to this module.
   *
   * @throws {@link ModuleStructureError} when the name is taken, empty or has a dot, or the values are not as many as the shape says.
   */
  protected registerParameter(name: string, values: Float32Array, shape: number[]): Variable {
    this.#requireName(name)
    if (
      !(values instanceof Float32Array) ||
      !Array.isArray(shape) ||
      !shape.every((length) => Number.isInteger(length) && length >= 0)
    ) {
      throw new ModuleStructureError(
        `${classNameOf(this)}: ${name} wants a Float32Array and its shape, whole numbers of at least 0, got shape [${shape}]`,
      )
    }
    const size = shape.reduce((product, length) => product * length, 1)
    if (values.length !== size) {
      throw new ModuleStructureError(
        `${classNameOf(this)}: ${name} has ${values.length} values, expected ${size} for [${shape}]`,
      )
    }
    const initial = copiedTensor(values, shape)
    const parameter = variable(initial)
    initial.dispose()
    // A variable is made where the backend is; its values are read here.
    takeOver(parameter, copiedTensor(values, shape))
    this.#ownParameters.set(name, parameter)
    return parameter
  }

  /**
   * Makes a parameter of another module one of this module, too (tied weights), which the other one still owns.
   *
   * @throws {@link ModuleStructureError} when the name is taken, empty or has a dot, or the parameter is disposed, has another shape, or is not a variable.
   */
  protected shareParameter(name: string, parameter: Variable, shape: readonly number[]): Variable {
    this.#requireName(name)
    if (!(parameter instanceof Variable) || parameter.isDisposed || parameter.shape.join() !== shape.join()) {
      const found =
        parameter instanceof Variable
          ? `of shape [${parameter.shape}]${parameter.isDisposed ? ', disposed' : ''}`
          : 'no variable'
      throw new ModuleStructureError(
        `${classNameOf(this)}: ${name} is ${found}, expected a parameter of another module of shape [${shape}], such as embedding.parameters().weight`,
      )
    }
    this.#ownParameters.set(name, parameter)
    this.#borrowed.add(parameter)
    return parameter
  }

  /**
   * Takes another module instead of a child, such as a new last layer for other classes; the one before is the caller's again, to be
   * disposed. Optimizers are made afterwards.
   *
   * @throws {@link ModuleStructureError} when there is no such child, or `module` is not a module.
   * @example
   * ```ts
   * this.fc.dispose()
   * this.fc = this.replaceModule('fc', new Linear({ inFeatures: 64, outFeatures: 3 }))
   * ```
   */
  protected replaceModule<Child extends Module>(name: string, module: Child): Child {
    const before = this.#children.get(name)
    if (before === undefined) {
      const known = [...this.#children.keys()].join(', ') || 'none'
      throw new ModuleStructureError(
        `${classNameOf(this)} has no module '${name}' to replace; its modules are ${known}`,
      )
    }
    this.#adopt(name, module)
    if ((module as Module) !== before) before.#moveTo('')
    return module
  }

  /**
   * Makes `module` a child: its parameters appear under `name.`.
   *
   * @throws {@link ModuleStructureError} when the name is taken, empty or has a dot, or `module` is no module.
   */
  protected registerModule<Child extends Module>(name: string, module: Child): Child {
    this.#requireName(name)
    this.#adopt(name, module)
    return module
  }

  /** What messages call the module: its class, and its name where it is a part of another. */
  protected label(details = ''): string {
    const name = classNameOf(this)
    if (this.#path === '') return details === '' ? name : `${name}(${details})`
    return `${this.#path} (${[name, details].filter((part) => part !== '').join(', ')})`
  }

  /** What {@link Module.summary} says of the module itself. */
  protected summaryOfLayer(): LayerSummary {
    return {}
  }

  /**
   * To be called first in `forward`.
   *
   * @throws {@link ModuleDisposedError} after {@link Module.dispose}, or when a parameter was disposed by itself.
   */
  protected requireUsable(): void {
    const disposed = this.#findDisposed()
    if (disposed === undefined) return
    const what = disposed === '' ? 'this' : `${disposed} of this`
    throw new ModuleDisposedError(
      `${what} ${classNameOf(this)} was disposed; build another one, or dispose it after its last use`,
    )
  }

  /** Makes a module a child, at the place of the one before if the name is taken. */
  #adopt(name: string, module: Module): void {
    if (module === this) throw new ModuleStructureError(`${classNameOf(this)}: ${name} is the module itself`)
    if (!(module instanceof Module)) {
      const found = isModule(module)
        ? 'a module of another copy of @rowwise/models-rnn; load one copy: by import or by require, and of one version'
        : 'no module; pass a layer, such as new Linear(…)'
      throw new ModuleStructureError(`${classNameOf(this)}: ${name} is ${found}`)
    }
    if (module.#parts().has(this)) {
      throw new ModuleStructureError(`${classNameOf(this)}: ${name} has the module itself among its parts`)
    }
    this.#children.set(name, module)
    module.#moveTo(this.#path === '' ? name : `${this.#path}.${name}`)
  }

  #moveTo(path: string): void {
    this.#path = path
    for (const [name, child] of this.#children) child.#moveTo(path === '' ? name : `${path}.${name}`)
  }

  /** Every parameter by every name that it has. */
  #allParameters(): Record<string, Variable> {
    this.requireUsable()
    this.#requireRegistered()
    const named: Record<string, Variable> = Object.fromEntries(this.#ownParameters)
    for (const [child, module] of this.#children) {
      for (const [name, parameter] of Object.entries(module.#allParameters())) named[`${child}.${name}`] = parameter
    }
    return named
  }

  #summaryRows(path: string): SummaryRow[] {
    const own = [...this.#ownParameters.values()].reduce((sum, { size }) => sum + size, 0)
    const children = [...this.#children].flatMap(([name, child]) =>
      child.#summaryRows(path === '' ? name : `${path}.${name}`),
    )
    if (this.#children.size > 0 && own === 0) return children
    return [{ path, kind: classNameOf(this), parameters: own, ...this.summaryOfLayer() }, ...children]
  }

  #requireName(name: string): void {
    const owner = classNameOf(this)
    if (
      typeof name !== 'string' ||
      name === '' ||
      name.includes('.') ||
      name in Object.prototype ||
      name === 'prototype'
    ) {
      throw new ModuleStructureError(
        `${owner}: ${JSON.stringify(name)} cannot be a name of a parameter or a module; a name has no dot, is not empty, and none that every object has`,
      )
    }
    if (this.#ownParameters.has(name) || this.#children.has(name)) {
      const replaced = this.#children.has(name) ? `; this.replaceModule('${name}', …) takes another one instead` : ''
      throw new ModuleStructureError(
        `${owner} already has '${name}'; give every parameter and module its own name${replaced}`,
      )
    }
  }

  /** Finds fields that training would silently leave out. */
  #requireRegistered(): void {
    const known = this.#parts()
    for (const [field, value] of Object.entries(this)) {
      const found = partsIn(value, new Set()).find((part) => !known.has(part))
      if (found === undefined) continue
      const isPart = isModule(found)
      const register = this.#children.has(field) ? 'replaceModule' : 'registerModule'
      const call = isPart ? `${register}('${field}', …)` : `registerParameter('${field}', …)`
      const what = isPart ? `the module ${classNameOf(found)}` : 'a variable'
      throw new ModuleStructureError(
        `${classNameOf(this)}.${field} holds ${what} that is not registered, so its weights would be neither trained nor saved; ` +
          `write this.${field} = this.${call}`,
      )
    }
  }

  /** The parameters and modules of this module, its children and theirs. */
  #parts(): Set<unknown> {
    const ofChildren = [...this.#children.values()].flatMap((child) => [child, ...child.#parts()])
    return new Set<unknown>([...this.#ownParameters.values(), ...ofChildren])
  }

  /** The name of what is disposed: empty for the module itself, undefined when all of it is alive. */
  #findDisposed(): string | undefined {
    if (this.#isDisposed) return ''
    for (const [name, parameter] of this.#ownParameters) if (parameter.isDisposed) return name
    for (const [child, module] of this.#children) {
      const disposed = module.#findDisposed()
      if (disposed !== undefined) return disposed === '' ? child : `${child}.${disposed}`
    }
    return undefined
  }
}
