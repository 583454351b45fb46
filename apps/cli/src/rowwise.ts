#!/usr/bin/env node
import { createRequire } from 'node:module'
import { isRowwiseError, reasonOf } from '@rowwise/errors'
import { Command, CommanderError, Option } from 'commander'
import { exitCodeOf, FAILURE, isInterruption, messageOf, USAGE_ERROR, UsageError } from './exit'
import {
  backendOption,
  CELL_NAMES,
  dataOptions,
  finiteNumber,
  interval,
  jsonOption,
  LOSS_NAMES,
  names,
  nonNegativeInteger,
  nonNegativeNumber,
  OPTIMIZER_NAMES,
  oneLineErrors,
  positiveInteger,
  positiveNumber,
  probability,
  redisOptions,
  seed,
  seriesOptions,
  share,
  weightsOptions,
} from './options'
import { printJson } from './show/print'
import { allowReaderToLeave, outputFault, outputIsOut } from './stop-on-signal'

const { version } = createRequire(import.meta.url)('../package.json') as { version: string }

const program = new Command('rowwise')
  .description('Reads images row by row through a recurrent network and says what they show.')
  .version(version)
  .exitOverride()
  .configureHelp({ showGlobalOptions: false })

// Each action imports its command when it runs, so that --help does not wait for TensorFlow.js.
const train = program
  .command('train')
  .description('train a network, by default exactly as the classic PyTorch program does')
  .option('--epochs <n>', 'times through the training images', positiveInteger, 10)
  .option('--batch-size <n>', 'samples per step', positiveInteger, 64)
  .option('--lr <rate>', 'the learning rate', positiveNumber, 1e-3)
  .addOption(
    new Option('--loss <name>', 'what is minimised (default: crossEntropy; of a time series, mseLoss)').choices(
      LOSS_NAMES,
    ),
  )
  .addOption(new Option('--optimizer <name>', 'what takes the steps').choices(OPTIMIZER_NAMES).default('Adam'))
  .option('--momentum <m>', 'of SGD and RMSprop', nonNegativeNumber)
  .option('--weight-decay <l>', 'λ of an L2 penalty; of AdamW, of a decay of the weights', nonNegativeNumber)
  .option('--schedule <name>', 'the learning rate by time, such as cosineAnnealingLR or stepLR:stepSize=3,gamma=0.5')
  .option('--augment <names>', 'random changes of images, such as randomRotation=10,randomCrop=2')
  .option('--validation <share>', 'steer the run by this share of the training data, and test once at the end', share)
  .option('--window <n>', 'of a time series: rows that are read', positiveInteger)
  .option('--horizon <n>', 'rows that are forecast (default: 1)', positiveInteger)
  .option('--target <columns>', 'the columns that are forecast, with commas between', names)
  .option('--columns <columns>', 'the columns that are read (default: all)', names)
  .addOption(new Option('--cell <name>', 'the recurrent cell').choices(CELL_NAMES).default('lstm'))
  .option('--hidden-size <n>', 'features of the hidden state', positiveInteger, 64)
  .option('--num-layers <n>', 'recurrent layers', positiveInteger, 1)
  .option('--bidirectional', 'read each image in both directions')
  .option('--dropout <p>', 'between layers, in training', probability, 0)
  .addOption(new Option('--seed <n>', 'as torch.manual_seed: any 64-bit integer').argParser(seed).default(0n, '0'))
  .option('--samples <n>', 'train on the first n images only', positiveInteger)
  .option('--out <directory>', 'where weights, metrics and settings go (default: runs/1, runs/2, …)')
  .option('--force', 'replace the run that is in --out')
  .option('--resume <directory>', 'go on with the run that is there, with its settings')
  .addOption(
    new Option('--checkpoint-every <when>', 'how often to save: seconds such as 30s, or steps such as 500')
      .argParser(interval)
      .default({ seconds: 10 }, '10s'),
  )
  .option('--tensorboard', 'write event files for TensorBoard into the run')
  .option('--keep <n>', 'how many of the newest checkpoints stay, besides the best', positiveInteger, 2)
  .action(async (options, command) => {
    const isGiven = (name: string): boolean => command.getOptionValueSource(name) === 'cli'
    await (await import('./commands/train')).train(options, isGiven)
  })

const test = program
  .command('test')
  .description('evaluate saved weights on the test images, or on a time series')
  .option('--batch-size <n>', 'samples per batch', positiveInteger, 1000)
  .action(async (options) => (await import('./commands/test')).test(options))

const predict = program
  .command('predict')
  .description('say what an image shows, or many, or what comes after a time series')
  .argument('[image]', 'a PNG file')
  .option('--index <k>', 'take the test image number k instead of a file', nonNegativeInteger)
  .option('--batch <path>', 'all pictures below a directory, or every window of a .csv file')
  .option('--out <file>', 'of --batch: a .csv or .jsonl file (default: predictions.csv)')
  .option('--workers <n>', 'of --batch: processes (default: one per core)', positiveInteger)
  .action(async (image, options) => (await import('./commands/predict')).predict(image, options))

const exportOf = program
  .command('export')
  .description('write saved weights as the file of another library: ONNX, Keras, tf.layers')
  .addOption(new Option('--to <format>', 'as what (required)').choices(['onnx', 'keras', 'tfjs', 'safetensors']))
  .option('--out <file>', 'where; of tfjs a directory (required)')
  .action(async (options) => (await import('./commands/export')).exportWeights(options))

const sweep = program.command('sweep').description('search hyper-parameters, on this machine or on many')
const run = sweep
  .command('run', { isDefault: true })
  .description('run a sweep, or go on with it: a file as docs/scale describes, .json or .ts')
  .argument('<file>')
  .option('--workers <n>', 'trials at once, each in a process (default: one per core)', positiveInteger)
  .option('--out <directory>', 'where outcomes, checkpoints and weights go (default: sweeps/NAME)')
  .option('--retry-failed', 'forget which trials failed, and do them again')
  .action(async (file, options) => (await import('./commands/sweep')).sweep(file, options))
const named = (name: string, description: string): Command =>
  sweep.command(name).description(description).argument('<sweep>', "a sweep's directory, or its name in Redis")
const status = named('status', 'how far a sweep is').action(async (which, options) =>
  (await import('./commands/sweep')).status(which, options),
)
const best = named('best', "the best trial's settings and numbers")
  .option('--weights <file>', 'write its weights there')
  .action(async (which, options) => (await import('./commands/sweep')).best(which, options))
const exported = named('export', 'all trials, as JSON or into a file')
  .option('--to <file>', 'a .csv, .json or .html file')
  .option('--tensorboard <directory>', 'event files with settings and curves')
  .action(async (which, options) => (await import('./commands/sweep')).exportSweep(which, options))

const worker = program
  .command('worker')
  .description('do the jobs of a queue, until a signal ends it')
  .option('--workers <n>', 'jobs at once, each in a process (default: one per core)', positiveInteger)
  .option('--root <directory>', 'what paths of jobs are read from, and cannot leave', '.')
  .option('--module <file>', 'the file of a sweep whose trials are its own')
  .option('--idle <seconds>', 'end after so long without a job', positiveNumber)
  .option('--lost-after <seconds>', 'its silence, after which others do its jobs', positiveNumber, 15)
  .action(async (options) => (await import('./commands/worker')).worker(options))

const backends = program
  .command('backends')
  .description('show which backend runs here, and why the better ones do not')
  .action(async (options) => (await import('./commands/backends')).backends(options))

const data = program.command('data').description('look after the downloaded data sets')
const dataCommand = (name: string, description: string): Command =>
  data
    .command(name)
    .description(description)
    .option('--cache <directory>', "where they are (default: ROWWISE_CACHE or the system's place for caches)")
    .addOption(jsonOption())
dataCommand('ls', 'list the files').action(async (options) => (await import('./commands/data')).list(options))
dataCommand('verify', 'compare them with the published SHA-256').action(async (options) =>
  (await import('./commands/data')).verify(options),
)
dataCommand('clean', 'remove them').action(async (options) => (await import('./commands/data')).clean(options))

for (const command of [train, test, predict]) {
  command
    .option(
      '--mean <m>',
      'mean of the pixels, scaled to [0, 1] (default: the data set’s, or the weights’)',
      finiteNumber,
    )
    .option('--std <s>', 'standard deviation of the pixels', positiveNumber)
}
for (const command of [test, predict, exportOf]) for (const option of weightsOptions()) command.addOption(option)
for (const command of [train, test, predict]) {
  for (const option of [...dataOptions(), ...seriesOptions()]) command.addOption(option)
}
for (const command of [run, status, best, exported, worker]) command.addOption(jsonOption())
for (const command of [run, status, best, exported, worker, predict]) {
  for (const option of redisOptions()) command.addOption(option)
}
for (const command of [train, test, predict, exportOf, backends])
  command.addOption(backendOption()).addOption(jsonOption())

oneLineErrors(program)
allowReaderToLeave()

try {
  if (process.argv.length <= 2)
    throw new UsageError(
      'which command? train, test, predict, export, sweep, worker, data or backends; --help says more',
    )
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : USAGE_ERROR
    if (error.exitCode !== 0 && process.argv.includes('--json'))
      printJson({ type: 'error', code: 'USAGE', message: error.message.replace(/^error: /, '') })
  } else {
    if (process.exitCode === undefined) process.exitCode = exitCodeOf(error)
    if (!isInterruption(error)) {
      if (process.argv.includes('--json'))
        printJson({ type: 'error', code: isRowwiseError(error) ? error.code : 'FAILURE', message: messageOf(error) })
      console.error(`rowwise: ${messageOf(error)}`)
    }
  }
}
await outputIsOut()
if (outputFault()) {
  process.exitCode = FAILURE
  console.error(`rowwise: the output cannot be written: ${reasonOf(outputFault())}`)
}
