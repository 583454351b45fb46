#!/usr/bin/env node
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { isRowwiseError } from '@rowwise/errors'
import { Command, CommanderError, Option } from 'commander'
import { USAGE_ERROR } from './exit'
import { backends, growths, positive, seconds, share, size, sizes, threads } from './options'

const { version } = createRequire(import.meta.url)('../package.json') as { version: string }
const cores = Math.min(8, availableParallelism())

const program = new Command('rowwise-bench')
  .description('How fast an LSTM trains and predicts here: every backend that runs, and others beside it.')
  .version(version)
  .exitOverride()
  .showSuggestionAfterError(false)
  .configureHelp({ showGlobalOptions: false })

program
  .command('compare', { isDefault: true })
  .description('time training steps and predictions of everyone in turn, round after round')
  .option('--backend <names>', 'all, or some of cuda,wasm,cpu', backends, backends('all'))
  .option('--threads <counts>', 'threads of the kernels', threads, cores > 1 ? [1, cores] : [1])
  .option('--batch <sizes>', 'samples per step', sizes, [1, 64, 256, 1000])
  .option('--hidden-size <n>', 'features of the hidden state', size, 64)
  .option('--num-layers <n>', 'LSTM layers', size, 1)
  .addOption(
    new Option('--sequence <kind>', '28 rows of 28, 784 pixels, or 784 pixels in a random order')
      .choices(['rows', 'pixels', 'permuted'])
      .default('rows'),
  )
  .option('--grow <sizes>', 'how a step grows with some of T,N,H,layers', growths, [])
  .option('--peers', 'beside PyTorch, onnxruntime, jax-js, tfjs-layers and the plain graph')
  .option('--python <path>', 'a Python with torch', '/usr/bin/python3')
  .option('--newer-python <path>', 'a Python with a newer torch, beside it')
  .option('--newer-node <path>', 'also on a Node of 22 or later, for relaxed SIMD')
  .option('--chromium', 'also in Chromium, headless')
  .option('--program <epochs>', 'also time the whole reference program, and PyTorch’s', size, 0)
  .option('--seconds <s>', 'measuring time after the first round (default: 40, with --peers 170)', positive)
  .option(
    '--patience <s>',
    'wait so long in all while something else uses the machine (default: as long as --seconds)',
    seconds,
  )
  .option('--json', 'print the whole report as JSON')
  .option('--markdown', 'print Markdown')
  .option('--html <file>', 'write a page with charts')
  .option('--charts <directory>', 'write the charts as SVG files')
  .option('--save <file>', 'keep the report, for --compare')
  .option('--compare <file>', 'compare with a kept report; exit code 1 when something became slower')
  .action(async (options) => (await import('./commands/compare')).compare(options))

program
  .command('accuracy')
  .description('how long training takes to reach an accuracy on the real MNIST')
  .option('--target <share>', 'the accuracy to reach', share, 0.97)
  .option('--seeds <n>', 'how many runs', size, 5)
  .option('--max-epochs <n>', 'when to give a run up', size, 20)
  .option('--json', 'print JSON for machines')
  .action(async (options) => (await import('./commands/accuracy')).accuracy(options))

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : USAGE_ERROR
  else {
    console.error(`rowwise-bench: ${(error as Error).message}`)
    process.exitCode = isRowwiseError(error) ? USAGE_ERROR : 1
  }
}
