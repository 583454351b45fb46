import { Dropout, RecurrentLayer } from '@rowwise/models-rnn'
import { type ConvertedLayer, newLayer } from './layers'

/** Puts layers together that were one with `numLayers` when it was written: `lstm`, `lstm_l1_dropout`, `lstm_l1`. */
export function unstacked(layers: readonly ConvertedLayer[]): ConvertedLayer[] {
  const found: ConvertedLayer[] = []
  for (let at = 0; at < layers.length; ) {
    const stack = stackAt(layers, at)
    found.push(stack.length > 1 ? merged(stack) : layers[at])
    at += Math.max(1, stack.length)
  }
  return found
}

/** The layers of a stack that begins here, with the dropouts between them; one or none where there is no stack. */
function stackAt(layers: readonly ConvertedLayer[], begin: number): ConvertedLayer[] {
  const stack: ConvertedLayer[] = []
  const [first] = layers.slice(begin, begin + 1)
  let between: number | undefined // the dropout in the first gap, which all have, as one layer has
  for (let [at, count] = [begin, 0]; at < layers.length; count++) {
    const own = count === 0 ? first.name : `${first.name}_l${count}`
    const dropout = layers[at].name === `${own}_dropout` && layers[at].layer instanceof Dropout ? [layers[at]] : []
    const next = layers[at + dropout.length]
    if (next?.name !== own || !(next.layer instanceof RecurrentLayer)) break
    if (count > 0 && !isAlike(first.layer as RecurrentLayer, next.layer)) break
    const p = count > 0 && dropout.length > 0 ? (dropout[0].layer as Dropout).p : 0
    if (count > 1 && p !== between) break
    if (count === 1) between = p
    stack.push(...dropout, next)
    at += dropout.length + 1
    if (next.isFinal) break
  }
  return stack
}

function isAlike(a: RecurrentLayer, b: RecurrentLayer): boolean {
  const kind = ({ cell, gateActivation, hiddenSize, bias, bidirectional, isFrozen }: RecurrentLayer): string =>
    [cell, gateActivation, hiddenSize, bias, bidirectional, isFrozen].join()
  return kind(a) === kind(b)
}

function merged(stack: readonly ConvertedLayer[]): ConvertedLayer {
  const layers = stack.flatMap(({ layer }) => (layer instanceof RecurrentLayer ? [layer] : []))
  const dropouts = stack.flatMap(({ layer }) => (layer instanceof Dropout ? [layer.p] : []))
  const [{ cell, gateActivation, inputSize, hiddenSize, bias, bidirectional, isFrozen }] = layers
  const options = { inputSize, hiddenSize, bias, bidirectional, numLayers: layers.length, dropout: dropouts[0] ?? 0 }
  const layer = newLayer(cell, options, cell.startsWith('rnn') ? undefined : gateActivation)
  const states = layers.flatMap((each, at) =>
    Object.entries(each.stateDict()).map(([name, value]) => [name.replace('_l0', `_l${at}`), value]),
  )
  layer.loadStateDict(Object.fromEntries(states))
  if (isFrozen) layer.requiresGrad(false)
  for (const each of stack) each.layer.dispose()
  const [first, last] = [stack[0], stack[stack.length - 1]]
  return { ...first, layer, isFinal: last.isFinal }
}
