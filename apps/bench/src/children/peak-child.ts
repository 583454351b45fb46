// Measures how many multiply-adds one core does in WebAssembly: the peak that other figures are compared with.
import { FUSED_MODULE, SIMD_MODULE } from '../generated/modules'

const ROUNDS = 2_000_000
const OPERATIONS = { eightSums: 64, twelveSums: 96 } as const

let best = 0
for (const base64 of [SIMD_MODULE, FUSED_MODULE]) {
  const binary = Buffer.from(base64, 'base64')
  if (!WebAssembly.validate(binary)) continue
  const env = { memory: new WebAssembly.Memory({ initial: 4 }) }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary), { env })
  for (const [name, operations] of Object.entries(OPERATIONS)) {
    const sums = exports[name] as (rounds: number) => number
    for (let repeat = 0; repeat < 12; repeat++) {
      const began = performance.now()
      sums(ROUNDS)
      best = Math.max(best, (operations * ROUNDS) / (performance.now() - began) / 1e6)
    }
  }
}
process.stdout.write(JSON.stringify({ gflops: best }))
