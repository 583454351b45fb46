#!/usr/bin/env node
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { isRowwiseError } from '@rowwise/errors'
import { Command, CommanderError, Option } from 'commander'
import { FAILURE, USAGE_ERROR, UsageError } from './exit'
import { backends, growths, positive, seconds, several, share, size, sizes, threads } from './options'
import { handleOutputErrors } from './output/streams'

const { version } = createRequire(import.meta.url)('../package.json') as { version: string }
const cores = Math.min(8, availableParallelism())

const program = new Command('rowwise-bench')
  .description('How fast an LSTM trains and predicts here: every backend that runs, and peers beside it.')
  .usage('[command] [options]')
  .version(version)
  .exitOverride()
  .helpCommand(false)
  .showSuggestionAfterError()
  .configureHelp({ showGlobalOptions: false })
  .configureOutput({ outputError: (text, write) => write(oneLine(text)) })

const outputs = {
  html: ['--html <file>', 'write a page with charts'],
  docs: ['--docs <directory>', 'write benchmarks.md and its chart into this directory'],
} as const

// Each action imports its command when it runs, so that --help does not wait for TensorFlow.js.
const compare = program
  .command('compare')
  .description('time training steps and predictions of all subjects, round after round (the default command)')
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
  .option('--node <path>', 'also on this Node (several times for several)', several, [])
  .option('--peers', 'beside PyTorch, onnxruntime, jax-js, tfjs-layers, brain.js and the plain graph')
  .option('--python <path>', 'a Python with torch (several times for several; default: python3)', several, [])
  .option('--chromium', 'also in Chromium, headless')
  .option('--program <epochs>', 'also time the whole reference program, and PyTorch’s', size, 0)
  .option('--seconds <s>', 'measuring time after the first round (default: 40, with --peers 170)', positive)
  .option(
    '--patience <s>',
    'wait this long in all while something else uses the machine (default: as --seconds)',
    seconds,
  )
  .option('--json', 'print the whole report as JSON')
  .option(...outputs.html)
  .option(...outputs.docs)
  .option('--save <file>', 'save the report, for --compare and show')
  .option('--compare <file>', 'compare with a saved report; exit code 1 when something became slower')
  .action(async (options) => (await import('./commands/compare')).compare(options))

program
  .command('show')
  .description('print a report that --save wrote, and make pages of it')
  .argument('<report>', 'the file')
  .option('--json', 'print it as JSON')
  .option(...outputs.html)
  .option(...outputs.docs)
  .action(async (path, options) => (await import('./commands/show')).show(path, options))

program
  .command('layers')
  .description('how fast tf.layers fits and predicts, as it is and accelerated')
  .option('--threads <counts>', 'threads of the kernels', threads, cores > 1 ? [1, cores] : [1])
  .option('--node <path>', 'on this Node instead (several times for several)', several, [])
  .option('--chromium', 'also in Chromium, headless')
  .option('--rounds <n>', 'how often each is timed, in turn', size, 5)
  .option('--json', 'print JSON for machines')
  .action(async (options) => (await import('./commands/layers')).layers(options))

program
  .command('accuracy')
  .description('how long training takes to reach an accuracy on the real MNIST')
  .option('--target <share>', 'the accuracy to reach', share, 0.97)
  .option('--seeds <n>', 'how many runs', size, 5)
  .option('--max-epochs <n>', 'when to give a run up', size, 20)
  .option('--json', 'print JSON for machines')
  .action(async (options) => (await import('./commands/accuracy')).accuracy(options))

program.addHelpText('after', () => `\n${compare.helpInformation()}`)

/** A command line without a command is one of `compare`. What is neither a command nor an option is a wrong command. */
function withCommand(args: readonly string[]): string[] {
  const [first] = args
  if (first === undefined) return [compare.name()]
  if (['-h', '--help', '-V', '--version'].includes(first)) return [first]
  if (first.startsWith('-')) return [compare.name(), ...args]
  return program.commands.some((command) => command.name() === first) ? [...args] : [first]
}

/** Commander's message under this program's name, its suggestion on the same line. */
function oneLine(text: string): string {
  return `rowwise-bench: ${text
    .replace(/^error: /, '')
    .trim()
    .replaceAll('\n', ' ')}\n`
}

/** Child processes, peers and outputs are all looked for from there. */
function requireWorkingDirectory(): void {
  try {
    process.cwd()
  } catch (cause) {
    throw new UsageError('the working directory is gone; change to one that exists', { cause })
  }
}

program.hook('preAction', requireWorkingDirectory)
handleOutputErrors()

try {
  await program.parseAsync(withCommand(process.argv.slice(2)), { from: 'user' })
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : USAGE_ERROR
  else {
    const { message, stack } = error as Error
    const text = process.env.ROWWISE_DEBUG ? (stack ?? message) : message.split('\n')[0]
    console.error(`rowwise-bench: ${text}`)
    process.exitCode = isRowwiseError(error) ? USAGE_ERROR : FAILURE
  }
}
