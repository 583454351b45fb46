import { describeValue, showName } from '@rowwise/safetensors'
import { StateDictError } from '../errors'

/** A config as it stands in a file: of a network whose class is not known yet. */
export type NetConfig = Readonly<Record<string, unknown>> & { dropout?: number; nonlinearity?: 'tanh' | 'relu' }

/**
 * The config in a file's metadata; undefined where there is none, or another program's.
 *
 * @throws {@link StateDictError} when its dropout is not a probability.
 */
export function readConfig(text: string | undefined): NetConfig | undefined {
  let config: unknown
  try {
    config = JSON.parse(text ?? '')
  } catch {
    return undefined
  }
  if (typeof config !== 'object' || config === null || !('inputSize' in config && 'hiddenSize' in config)) {
    return undefined
  }
  const { dropout = 0 } = config as NetConfig
  if (!(typeof dropout === 'number' && dropout >= 0 && dropout < 1)) {
    throw new StateDictError(
      `the file's config says dropout ${describeValue(dropout)}, expected a number from 0 below 1`,
    )
  }
  const { nonlinearity } = config as NetConfig
  if (nonlinearity !== undefined && nonlinearity !== 'tanh' && nonlinearity !== 'relu') {
    throw new StateDictError(
      `the file's config says nonlinearity ${describeValue(nonlinearity)}, expected 'tanh' or 'relu'`,
    )
  }
  return config as NetConfig
}

/** Makes sure that what a file's config says is what its weights are. @throws {@link StateDictError} with what differs. */
export function requireConfig(config: NetConfig, found: Readonly<Record<string, unknown>>): void {
  const wrong = Object.entries(config).filter(([name, value]) => found[name] !== value)
  if (wrong.length === 0) return
  const list = wrong.map(([name, value]) => `${showName(name)} ${describeValue(value)}`).join(', ')
  throw new StateDictError(`the file's config says ${list}, its weights do not; take both from the same model`)
}
