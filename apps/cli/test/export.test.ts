import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { rowwise, temporaryDirectory } from './rowwise'

const cwd = temporaryDirectory()
const run = (...args: string[]) => rowwise(args, { cwd })
const WEIGHTS = 'run/model.safetensors'

beforeAll(async () => {
  await run('train', '--epochs', '1', '--samples', '1280', '--hidden-size', '16', '--out', 'run')
  await run(
    'train',
    '--epochs',
    '1',
    '--samples',
    '640',
    '--hidden-size',
    '8',
    '--cell',
    'gru',
    '--bidirectional',
    '--out',
    'both',
  )
}, 120_000)

describe('rowwise export', () => {
  it.each([
    ['onnx', 'model.onnx', 'model.onnx'],
    ['keras', 'model.keras', 'model.keras'],
    ['tfjs', 'tfjs', 'tfjs/model.json'],
    ['safetensors', 'copy.safetensors', 'copy.safetensors'],
  ])(
    'writes %s, which test and predict read with the same results and how images are prepared',
    async (to, out, file) => {
      const exported = await run('export', '--weights', WEIGHTS, '--to', to, '--out', out)
      expect(exported).toMatchObject({ exitCode: 0, stderr: '' })
      expect(exported.stdout).toContain(`${file}: `)
      const [expected, found] = await Promise.all([run('test', '--weights', WEIGHTS), run('test', '--weights', file)])
      expect(found).toMatchObject({ exitCode: 0, stderr: '', stdout: expected.stdout })
      const predicted = JSON.parse((await run('predict', '--weights', file, '--index', '3', '--json')).stdout)
      const known = JSON.parse((await run('predict', '--weights', WEIGHTS, '--index', '3', '--json')).stdout)
      expect(predicted.prediction).toBe(known.prediction)
    },
  )

  it.each([
    ['its own weights', 'safetensors', WEIGHTS, /is the file behind --weights, which would be lost/],
    [
      'a name of another format',
      'onnx',
      'model.safetensors',
      /ends in \.safetensors, and --to is onnx; name it \.onnx/,
    ],
    ['a file that a run needs', 'safetensors', 'run/metrics.jsonl', /is a file of a run or a sweep, which needs it/],
  ])('does not write over %s', async (_, to, out, message) => {
    const before = readFileSync(join(cwd, WEIGHTS))
    const { exitCode, stderr } = await run('export', '--weights', WEIGHTS, '--to', to, '--out', out)
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(message)])
    expect(Buffer.compare(readFileSync(join(cwd, WEIGHTS)), before)).toBe(0)
  })

  it('comes back from ONNX with the same file', async () => {
    await run('export', '--weights', WEIGHTS, '--to', 'onnx', '--out', 'there.onnx')
    await run('export', '--weights', 'there.onnx', '--to', 'safetensors', '--out', 'back.safetensors')
    expect(readFileSync(join(cwd, 'back.safetensors'))).toEqual(readFileSync(join(cwd, WEIGHTS)))
  })

  it('lists the files as JSON', async () => {
    const { stdout } = await run('export', '--weights', WEIGHTS, '--to', 'tfjs', '--out', 'deep/er', '--json')
    expect(JSON.parse(stdout)).toEqual({
      weights: WEIGHTS,
      to: 'tfjs',
      files: ['deep/er/group1-shard1of1.bin', 'deep/er/model.json'],
    })
  })

  it.each([
    ['no format', ['--weights', WEIGHTS, '--out', 'x'], 'as what? pass --to onnx|keras|tfjs|safetensors'],
    ['no place', ['--weights', WEIGHTS, '--to', 'onnx'], 'where? pass --out FILE'],
    ['no weights', ['--to', 'onnx', '--out', 'x'], 'which weights?'],
    [
      'another format',
      ['--weights', WEIGHTS, '--to', 'tf', '--out', 'x'],
      'Allowed choices are onnx, keras, tfjs, safetensors',
    ],
  ])('with %s says so in one line and exits with 2', async (_, args, message) => {
    const { exitCode, stderr } = await run('export', ...args)
    expect([exitCode, stderr.trim().split('\n').length]).toEqual([2, 1])
    expect(stderr).toContain(message)
  })

  it('writes nothing where the other library has no such model', async () => {
    const { exitCode, stderr } = await run(
      'export',
      '--weights',
      'both/model.safetensors',
      '--to',
      'keras',
      '--out',
      'both.keras',
    )
    expect(exitCode).not.toBe(0)
    expect(stderr).toContain('use finalHidden()')
    expect(existsSync(join(cwd, 'both.keras'))).toBe(false)
  })

  it.each([
    ['model.json', '{"a":1}', 'it has no modelTopology and weightsManifest'],
    ['text.onnx', 'hello', 'the file is not an ONNX model'],
    ['text.keras', 'hello', 'neither a .keras archive nor an HDF5 file'],
  ])('refuses %s that is none', async (name, content, message) => {
    writeFileSync(join(cwd, name), content)
    const { exitCode, stderr } = await run('test', '--weights', name)
    expect([exitCode, stderr.trim().split('\n').length]).toEqual([2, 1])
    expect(stderr).toContain(message)
  })
})
