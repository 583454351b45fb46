import { DrawPanel } from './draw/draw-panel'
import { byId } from './elements'
import { keepPanel } from './keep/keep-panel'
import { readSettings, settingsFromAddress } from './keep/settings-url'
import { type ModelInUse, readModel } from './model-in-use'
import type { Settings } from './train/protocol'
import { TrainPanel } from './train/train-panel'

const bundled = await fetch(new URL('model.safetensors', document.baseURI))
let model: ModelInUse = readModel(
  new Uint8Array(await bundled.arrayBuffer()),
  'bundled, trained for 10 epochs with seed 0',
)

const draw = new DrawPanel(model, nextExample)

function use(next: ModelInUse): void {
  model = next
  draw.use(next)
  byId('model-line').textContent = `The weights in use: ${next.origin}.`
}

settingsFromAddress()
const panel = new TrainPanel(readSettings, (weights, origin) => use(readModel(weights, origin)))
keepPanel(() => model, use)

/** Test images in their order; the small files of MNIST come when the first is asked for. */
let examples: Uint8Array | null = null
let nextIndex = 0
async function nextExample(): Promise<Uint8Array> {
  if (!examples) {
    const answer = await fetch(new URL('mnist/t10k-images-idx3-ubyte', document.baseURI))
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`)
    const pixels = new Uint8Array(await answer.arrayBuffer()).subarray(16)
    if (pixels.length === 0 || pixels.length % 784 !== 0) throw new Error('the file is not that of MNIST')
    examples = pixels
  }
  const image = examples.slice(784 * nextIndex, 784 * (nextIndex + 1))
  nextIndex = (nextIndex + 1) % (examples.length / 784)
  return image
}

declare global {
  interface Window {
    /** Trains a number of steps with the settings of the form, for tests. */
    trainSteps(settings: Settings, steps: number): void
  }
}
window.trainSteps = (settings, steps) => panel.start(settings, steps)
document.documentElement.dataset.ready = 'true'
