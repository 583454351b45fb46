import { encodeSafetensors } from '@rowwise/models-rnn'
import { byId } from '../elements'
import { type ModelInUse, readModel } from '../model-in-use'

/** The largest model that this page could be asked to draw with; a larger file is none of ours. */
const MAX_FILE_BYTES = 64 << 20

/** Saves and loads weights, by buttons and by dropping a file on the page. */
export function keepPanel(current: () => ModelInUse, use: (model: ModelInUse) => void): void {
  const load = byId<HTMLInputElement>('load')
  load.addEventListener('change', async () => {
    const [file] = load.files ?? []
    if (file) await open(file, use)
    load.value = ''
  })
  byId('save').addEventListener('click', () => save(current()))
  const page = document.body
  page.addEventListener('dragover', (event) => {
    event.preventDefault()
    page.classList.add('dropping')
  })
  page.addEventListener('dragleave', () => page.classList.remove('dropping'))
  page.addEventListener('drop', async (event) => {
    event.preventDefault()
    page.classList.remove('dropping')
    const [file] = event.dataTransfer?.files ?? []
    if (file) await open(file, use)
  })
}

async function open(file: File, use: (model: ModelInUse) => void): Promise<void> {
  const say = (text: string): void => {
    byId('file-message').textContent = text
  }
  try {
    if (file.size > MAX_FILE_BYTES)
      throw new Error(`it has ${file.size} bytes, at most ${MAX_FILE_BYTES} are read here`)
    use(readModel(new Uint8Array(await file.arrayBuffer()), `loaded from ${file.name}`))
    say(`${file.name} is in use.`)
  } catch (error) {
    say(`${file.name} cannot be used: ${(error as Error).message}. The weights in use stay.`)
  }
}

function save({ weights, metadata }: ModelInUse): void {
  const bytes = encodeSafetensors(weights, { ...metadata, format: 'pt' })
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]))
  link.download = 'model.safetensors'
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}
