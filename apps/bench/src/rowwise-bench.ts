#!/usr/bin/env node
import { createRequire } from 'node:module'
import { Command, CommanderError, InvalidArgumentError } from 'commander'

const { version } = createRequire(import.meta.url)('../package.json') as { version: string }

const positive = (text: string): number => {
  const value = Number(text)
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('Expected a number over 0.')
  return value
}
const size = (text: string): number => {
  const value = positive(text)
  if (!Number.isInteger(value) || value > 100_000)
    throw new InvalidArgumentError('Expected an integer from 1 to 100000.')
  return value
}

const program = new Command('rowwise-bench')
  .description('How fast an LSTM trains and predicts here.')
  .version(version)
  .exitOverride()

program
  .command('step', { isDefault: true })
  .description('time a training step and predictions on one backend')
  .option('--backend <name>', 'auto, wasm or cpu', 'auto')
  .option('--kernels <path>', 'auto, relaxed-simd, simd, js, or off for the composed graph', 'auto')
  .option('--threads <n>', 'threads of the kernels (default: one per processor)', size)
  .option('--batch <n>', 'samples per training step', size, 64)
  .option('--hidden-size <n>', 'features of the hidden state', size, 64)
  .option('--num-layers <n>', 'LSTM layers', size, 1)
  .option('--seconds <s>', 'measuring time per figure', positive, 2)
  .option('--json', 'print JSON for machines')
  .action(async (options) => (await import('./commands/step')).step(options))

program
  .command('peers')
  .description('the same network here, in PyTorch, tfjs-layers and onnxruntime, side by side in one run, as ratios')
  .option('--python <path>', 'a Python with torch', '/usr/bin/python3')
  .option('--newer-node <path>', 'a Node of 22 or later, for relaxed SIMD')
  .option('--rounds <n>', 'how often each is timed, in turn', size, 5)
  .option('--seconds <s>', 'measuring time per figure and round', positive, 1)
  .option('--json', 'print JSON for machines')
  .action(async (options) => (await import('./commands/peers')).peers(options))

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else {
    console.error(`rowwise-bench: ${(error as Error).message}`)
    process.exitCode = 1
  }
}
