import { exec } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { decodeSafetensors, encodeSafetensors } from '@rowwise/models-rnn'
import { beforeAll, describe, expect, it } from 'vitest'
import { program, rowwise, temporaryDirectory } from './rowwise'
import { writeStripes } from './stripes'

const quick = ['--epochs', '2', '--samples', '6400']
const trained = join(temporaryDirectory(), 'run')
const weights = join(trained, 'model.safetensors')
let training: Awaited<ReturnType<typeof rowwise>>

beforeAll(async () => {
  training = await rowwise(['train', ...quick, '--out', trained])
})

describe('rowwise --help', () => {
  it('lists the commands and exits with 0', async () => {
    const { exitCode, stdout } = await rowwise(['--help'])
    expect(exitCode).toBe(0)
    for (const command of ['train', 'test', 'predict', 'backends']) expect(stdout).toContain(command)
  })

  it.each([
    ['train', '--seed <n>'],
    ['test', '--weights <file>'],
    ['predict', '--index <k>'],
    ['backends', '--json'],
    ['data', 'verify'],
    ['data ls', '--cache <directory>'],
  ])('says what %s takes, with the defaults as one would write them', async (command, expected) => {
    const { exitCode, stdout, stderr } = await rowwise([...command.split(' '), '--help'])
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toContain(expected)
    expect(stdout).not.toMatch(/default: [{[]/)
  })

  it('is answered without loading TensorFlow.js', () => {
    const seen = new Set<string>()
    const visit = (path: string): string[] => {
      if (seen.has(path)) return []
      seen.add(path)
      const imports = [...readFileSync(path, 'utf8').matchAll(/^(?:import|export) .*?["']([^"']+)["'];?$/gm)].map(
        ([, name]) => name,
      )
      return imports.flatMap((name) => (name.startsWith('.') ? visit(join(dirname(path), name)) : [name]))
    }
    expect(visit(program).filter((name) => /tensorflow|@rowwise/.test(name))).toEqual([])
  })
})

describe('rowwise train --cell', () => {
  it.each([
    ['gru', 'gru_1.weight_hh_l0', 192],
    ['rnn', 'rnn_1.weight_hh_l0', 64],
  ])('trains a %s, whose weights test and predict read', async (cell, name, rows) => {
    const out = join(temporaryDirectory(), cell)
    const run = await rowwise(['train', '--cell', cell, '--epochs', '1', '--samples', '3200', '--out', out])
    expect([run.exitCode, run.stderr]).toEqual([0, ''])
    const file = join(out, 'model.safetensors')
    expect(decodeSafetensors(readFileSync(file)).tensors[name].shape).toEqual([rows, 64])
    const tested = await rowwise(['test', '--weights', file, '--json'])
    expect(JSON.parse(tested.stdout).correct).toBeGreaterThan(3000)
    expect((await rowwise(['predict', '--weights', file, '--index', '0'])).exitCode).toBe(0)
    const resumed = await rowwise(['train', '--resume', out, '--cell', 'lstm'])
    expect([resumed.exitCode, resumed.stderr]).toEqual([
      2,
      expect.stringContaining(`--cell is lstm, the run in ${out} has ${cell}`),
    ])
  })

  it('refuses another cell', async () => {
    const { exitCode, stderr } = await rowwise(['train', '--cell', 'transformer'])
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/Allowed choices are lstm, gru, rnn/)])
  })
})

describe('rowwise train', () => {
  it('prints PyTorch’s line after each epoch and nothing on standard error', () => {
    expect([training.exitCode, training.stderr]).toEqual([0, ''])
    const lines = training.stdout.match(/^Test set: Average loss: \d\.\d{4}, Accuracy: \d+\/10000 \(\d+%\)$/gm)
    expect(lines).toHaveLength(2)
  })

  it('leaves weights, settings and the loss of every step', () => {
    expect(readdirSync(trained).sort()).toEqual(['checkpoints', 'config.json', 'metrics.jsonl', 'model.safetensors'])
    const metrics = readFileSync(join(trained, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(metrics.filter(({ type }) => type === 'step')).toHaveLength(200)
    expect(metrics.filter(({ type }) => type === 'epoch')).toHaveLength(2)
    expect(JSON.parse(readFileSync(join(trained, 'config.json'), 'utf8'))).toMatchObject({
      epochs: 2,
      batchSize: 64,
      seed: '0',
      samples: 6400,
    })
  })

  it('gives the same weights for the same seed, and others for another', async () => {
    const out = join(temporaryDirectory(), 'again')
    const other = join(temporaryDirectory(), 'other')
    await rowwise(['train', ...quick, '--out', out])
    await rowwise(['train', ...quick, '--out', other, '--seed', '1'])
    const bytes = (directory: string) => readFileSync(join(directory, 'model.safetensors')).toString('base64')
    expect(bytes(out)).toBe(bytes(trained))
    expect(bytes(other)).not.toBe(bytes(trained))
  })

  it('numbers its runs when no directory is named', async () => {
    const cwd = temporaryDirectory()
    for (let run = 0; run < 2; run++) await rowwise(['train', '--epochs', '1', '--samples', '64'], { cwd })
    expect(readdirSync(join(cwd, 'runs')).sort()).toEqual(['1', '2'])
  })

  it('never replaces an earlier run unless told to', async () => {
    const before = readFileSync(weights)
    const refused = await rowwise(['train', ...quick, '--out', trained])
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
    expect(refused.stderr).toMatch(/^rowwise: .* already holds a run; .*--force\n$/)
    expect(readFileSync(weights).equals(before)).toBe(true)
  })

  it('prints one JSON object a line for machines', async () => {
    const { stdout } = await rowwise(['train', '--epochs', '1', '--samples', '64', '--json'])
    const [epoch, end] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(epoch).toMatchObject({ type: 'epoch', epoch: 1, samples: 64, test: { total: 10000 } })
    expect(end).toMatchObject({ type: 'end', ended: 'completed' })
  })
})

describe('rowwise train, with data of one’s own', () => {
  const directory = temporaryDirectory()
  beforeAll(() => writeStripes(directory))

  it('measures their mean and deviation, says so, and names as many classes as there are labels', async () => {
    const out = join(temporaryDirectory(), 'own')
    const run = await rowwise(['train', '--data', directory, '--epochs', '1', '--out', out])
    expect([run.exitCode, run.stderr]).toEqual([0, ''])
    expect(run.stdout).toContain('12 classes; mean 0.5 and std 0.5, measured on the training images')
    const test = await rowwise(['test', '--weights', join(out, 'model.safetensors'), '--data', directory])
    expect(run.stdout).toContain(test.stdout.trim())
  })

  it('takes the names of the classes, and the numbers to normalise with', async () => {
    const out = join(temporaryDirectory(), 'named')
    const names = Array.from({ length: 12 }, (_, label) => `class${label}`).join(',')
    const settings = ['--class-names', names, '--mean', '0.4', '--std', '0.3']
    const { stdout } = await rowwise(['train', '--data', directory, '--epochs', '1', '--out', out, ...settings])
    expect(stdout).not.toContain('measured')
    const predicted = await rowwise([
      ...['predict', '--weights', join(out, 'model.safetensors'), '--data', directory],
      ...['--index', '3', '--json'],
    ])
    expect(JSON.parse(predicted.stdout)).toMatchObject({
      label: 'class3',
      probabilities: { class11: expect.any(Number) },
    })
  })

  it('goes on with the numbers that it measured', async () => {
    const out = join(temporaryDirectory(), 'resumed')
    await rowwise(['train', '--data', directory, '--epochs', '1', '--out', out])
    const { exitCode, stderr } = await rowwise(['train', '--resume', out, '--epochs', '2'])
    expect([exitCode, stderr]).toEqual([0, ''])
  })
})

describe('rowwise test', () => {
  it('reports what training reported', async () => {
    const { exitCode, stdout } = await rowwise(['test', '--weights', weights])
    expect(exitCode).toBe(0)
    expect(training.stdout).toContain(stdout.trim())
  })

  it('gives the confusion matrix to machines', async () => {
    const { stdout } = await rowwise(['test', '--weights', weights, '--json'])
    const { confusion, correct, total } = JSON.parse(stdout) as {
      confusion: number[][]
      correct: number
      total: number
    }
    expect(confusion.flat().reduce((sum, count) => sum + count, 0)).toBe(total)
    expect(confusion.reduce((sum, row, index) => sum + row[index], 0)).toBe(correct)
  })
})

describe('rowwise test, with weights whose names are others', () => {
  const { tensors } = decodeSafetensors(
    readFileSync(new URL('../../playground/public/model.safetensors', import.meta.url)),
  )
  const named = (change: (name: string) => string) => {
    const file = join(temporaryDirectory(), 'named.safetensors')
    const renamed = Object.entries(tensors).map(([name, tensor]) => [change(name), tensor])
    writeFileSync(file, encodeSafetensors(Object.fromEntries(renamed)))
    return file
  }

  it('takes wrappers’ prefixes off and says so once, on standard error', async () => {
    const { exitCode, stderr } = await rowwise(['test', '--weights', named((name) => `_orig_mod.module.${name}`)])
    expect([exitCode, stderr]).toEqual([
      0,
      expect.stringMatching(/^rowwise: .*named.safetensors: took _orig_mod. and module. off/),
    ])
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  it('lists other layers’ names with the --rename that maps them, which works', async () => {
    const file = named((name) => name.replace('lstm_1', 'rnn').replace('fc_1', 'out'))
    const refused = await rowwise(['test', '--weights', file])
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
    const [, rename] = /pass --rename (\S+)\n$/.exec(refused.stderr) ?? []
    expect(rename).toBe('rnn=lstm_1,out=fc_1')
    const { exitCode, stdout } = await rowwise(['test', '--weights', file, '--rename', rename])
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/Accuracy: 9\d{3}\/10000/)])
  })
})

describe('rowwise predict', () => {
  it('draws a test image, ten bars and the verdict', async () => {
    const { stdout, stderr } = await rowwise(['predict', '--weights', weights, '--index', '0'])
    expect(stdout).toMatch(/[▀▄█]/)
    expect(stdout.match(/^[> ] \d +\d+\.\d%/gm)).toHaveLength(10)
    expect(stdout).toMatch(/It shows \d \(labelled 7\)\./)
    expect(stderr).toBe('')
  })

  it('gives probabilities that add up to one', async () => {
    const { stdout } = await rowwise(['predict', '--weights', weights, '--index', '3', '--json'])
    const { probabilities, label } = JSON.parse(stdout) as { probabilities: Record<string, number>; label: string }
    expect(label).toBe('0')
    expect(Object.values(probabilities).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5)
  })
})

describe('a reader that goes away', () => {
  it('gets no stack trace', async () => {
    const command = `"${process.execPath}" "${program}" predict --weights "${weights}" --index 0 | head -c 1`
    const { stderr } = await promisify(exec)(command)
    expect(stderr).toBe('')
  })
})

describe('rowwise backends', () => {
  it('names what runs, the kernels, and why the better ones do not', async () => {
    const { stdout } = await rowwise(['backends'])
    expect(stdout).toMatch(/Rowwise's kernels:\n {2}(native \w+|relaxed-simd|simd) kernels.*, \d+ threads?\n/)
    expect(stdout).toMatch(/TensorFlow.js's backend:\n {2}wasm with SIMD\n/)
    expect(stdout).toMatch(/do not run:\n {2}cuda NOT_INSTALLED: .*\n +fix: npm install/)
  })

  it('gives the same to machines', async () => {
    const { stdout } = await rowwise(['backends', '--json', '--backend', 'cpu'])
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'cpu',
      tried: [{ code: 'NOT_PREFERRED' }, { code: 'NOT_PREFERRED' }],
      recurrent: { path: expect.stringMatching(/native|simd/), threads: expect.any(Number) },
    })
  })
})
