import { type OptionNames, refuseUnknownOptions } from '@rowwise/errors'
import { describeValue } from '@rowwise/safetensors'
import { ModuleOptionError } from '../errors'
import { flag, requireOption } from '../options'

/** How {@link Module.loadStateDict} treats what does not fit. */
export interface LoadStateDictOptions {
  /** Refuse missing names, and unexpected names of floats. @default true */
  strict?: boolean
  /** Accept NaN and infinite weights. @default false */
  allowNonFinite?: boolean
  /**
   * New names for those of the state dict: whole names, or what they begin with, up to a dot. `{ lstm: 'lstm_1', fc: 'fc_1' }`
   * makes `lstm.weight_ih_l0` into `lstm_1.weight_ih_l0`; an empty text stands for no beginning.
   */
  rename?: Readonly<Record<string, string>>
  /**
   * Called with one line for each thing that a person should know once the weights are loaded: prefixes of wrappers that were
   * taken off the names, tensors that were left alone.
   */
  onNote?: (note: string) => void
}

/** The names of {@link LoadStateDictOptions}. */
export const LOAD_OPTIONS: OptionNames<LoadStateDictOptions> = {
  strict: true,
  allowNonFinite: true,
  rename: true,
  onNote: true,
}

/** Refuses options that nobody reads, or of the wrong kind. @throws {@link ModuleOptionError} */
export function checkLoadOptions<Options extends LoadStateDictOptions>(
  caller: string,
  options: Options,
  known: OptionNames<Options>,
): void {
  refuseUnknownOptions(caller, options, known, ModuleOptionError)
  const { strict = true, allowNonFinite = false, onNote } = options
  requireOption(caller, 'strict', strict, flag(true))
  requireOption(caller, 'allowNonFinite', allowNonFinite, flag(false))
  if (onNote !== undefined && typeof onNote !== 'function') {
    throw new ModuleOptionError(`${caller}: onNote is ${describeValue(onNote)}, expected a function of a text`)
  }
}
