import { type ChildProcess, exec, execFileSync, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { onSmallDisk, smallDiskMissing } from '../../../scripts/on-small-disk'
import { program, type Run, rowwise, temporaryDirectory } from './rowwise'
import { writeStripes } from './stripes'

/** 3 epochs of 20 steps with dropout, which draws from the same stream as the order of the images. */
const settings = '--epochs 3 --samples 1280 --num-layers 2 --dropout 0.2 --hidden-size 16'.split(' ')

const weightsOf = (directory: string) => readFileSync(join(directory, 'model.safetensors')).toString('base64')
const metricsOf = (directory: string) =>
  readFileSync(join(directory, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

const manifestOf = (directory: string) => JSON.parse(readFileSync(join(directory, 'checkpoints/manifest.json'), 'utf8'))

/** Whether there is no `script`, which makes a terminal for a program. */
const noTerminal = ((): boolean => {
  try {
    return !/util-linux/.test(execFileSync('script', ['--version'], { encoding: 'utf8' }))
  } catch {
    return true
  }
})()
const noFullDevice = !existsSync('/dev/full')

const whole = join(temporaryDirectory(), 'whole')
beforeAll(() => rowwise(['train', ...settings, '--out', whole]))

/** A run that `stop` ends after its first epoch. */
async function interrupted(stop: (child: ChildProcess) => void): Promise<{ out: string; run: Run }> {
  const out = join(temporaryDirectory(), 'interrupted')
  let done = false
  const run = await rowwise(['train', ...settings, '--out', out, '--checkpoint-every', '7'], {
    onOutput(text, child) {
      if (done || !/Epoch 1\/3/.test(text)) return
      done = true
      stop(child)
    },
  })
  return { out, run }
}

describe('rowwise train, interrupted', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)(
    'by %s, ends the step, saves, exits with %i, and the printed command goes on bit for bit',
    async (signal, exitCode) => {
      const { out, run } = await interrupted((child) => child.kill(signal))
      expect([run.exitCode, run.stderr]).toEqual([exitCode, ''])
      const [, command] = /^go on with: rowwise (.*)$/m.exec(run.stdout) ?? []
      expect(command).toBe(`train --resume ${out}`)
      const resumed = await rowwise(command.split(' '))
      expect([resumed.exitCode, resumed.stderr]).toEqual([0, ''])
      expect(resumed.stdout).toMatch(/^resumed at epoch \d, step \d+$/m)
      expect(weightsOf(out)).toBe(weightsOf(whole))
    },
  )

  it('twice, leaves at once, and what was saved goes on bit for bit', async () => {
    const { out, run } = await interrupted((child) => {
      child.kill('SIGINT')
      child.kill('SIGTERM')
    })
    expect([130, 143]).toContain(run.exitCode)
    expect(run.stderr).toBe('')
    await rowwise(['train', '--resume', out])
    expect(weightsOf(out)).toBe(weightsOf(whole))
  })

  it('by kill -9, goes on bit for bit, and every step is in the metrics once', async () => {
    const { out, run } = await interrupted((child) => child.kill('SIGKILL'))
    expect(run.signal).toBe('SIGKILL')
    await rowwise(['train', '--resume', out])
    expect(weightsOf(out)).toBe(weightsOf(whole))
    const withoutTimes = (directory: string) =>
      metricsOf(directory).map(({ seconds: _, dataSeconds: __, ...record }) => record)
    expect(withoutTimes(out)).toEqual(withoutTimes(whole))
  })

  it('before its first checkpoint, starts again with the same settings', async () => {
    const out = join(temporaryDirectory(), 'early')
    await rowwise(['train', ...settings, '--out', out], {
      onOutput: (text, child) => void (/if it is interrupted/.test(text) && child.kill('SIGKILL')),
    })
    await rowwise(['train', '--resume', out])
    expect(weightsOf(out)).toBe(weightsOf(whole))
  })

  it('by a reader that goes away, ends the step, saves, and exits with 141', async () => {
    const { out, run } = await interrupted((child) => child.stdout?.destroy())
    expect([run.exitCode, run.stderr]).toEqual([141, ''])
    await rowwise(['train', '--resume', out])
    expect(weightsOf(out)).toBe(weightsOf(whole))
  })

  it.skipIf(noTerminal)('by a terminal that goes away, ends the step and saves', async () => {
    const out = join(temporaryDirectory(), 'terminal')
    const command = ['node', program, 'train', ...settings, '--out', out, '--checkpoint-every', '100000s']
    const terminal = spawn('script', ['-qfec', command.join(' '), '/dev/null'], { detached: true, stdio: 'pipe' })
    onTestFinished(() => {
      terminal.kill('SIGKILL')
      const lock = join(out, 'lock-1.json') // there while the program runs, in another session
      if (existsSync(lock)) process.kill(JSON.parse(readFileSync(lock, 'utf8')).pid, 'SIGKILL')
    })
    let seen = ''
    terminal.stdout.on('data', (chunk) => {
      seen += chunk
      if (/Test set/.test(seen)) terminal.kill('SIGKILL') // and with it the terminal
    })
    await new Promise((resolve) => terminal.on('close', resolve))
    await vi.waitFor(() => expect(readdirSync(out)).not.toContain('lock-1.json'), { timeout: 20_000 })
    expect(manifestOf(out).checkpoints.at(-1).step).toBeGreaterThanOrEqual(20)
    await rowwise(['train', '--resume', out])
    expect(weightsOf(out)).toBe(weightsOf(whole))
  })

  it.skipIf(noFullDevice)('by an output that is full, ends the step, saves, says so, and exits with 1', async () => {
    const out = join(temporaryDirectory(), 'full')
    const command = `"${process.execPath}" "${program}" train ${settings.join(' ')} --out "${out}" > /dev/full`
    const failed = await promisify(exec)(command).catch((error) => error)
    expect([failed.code, failed.stderr]).toEqual([
      1,
      'rowwise: the output cannot be written: the disk is full (ENOSPC)\n',
    ])
    await rowwise(['train', '--resume', out])
    expect(weightsOf(out)).toBe(weightsOf(whole))
  })

  it.skipIf(noFullDevice).each(['backends --json', 'train --help'])(
    'is told by %s too, which prints once, and not with success',
    async (args) => {
      const failed = await promisify(exec)(`"${process.execPath}" "${program}" ${args} > /dev/full`).catch(
        (error) => error,
      )
      expect([failed.code, failed.stderr]).toEqual([
        1,
        'rowwise: the output cannot be written: the disk is full (ENOSPC)\n',
      ])
    },
  )

  it('names the command that npm start was called by', async () => {
    const args = ['train', '--epochs', '1', '--samples', '64', '--out', "it's"]
    const { stdout } = await rowwise(args, { env: { ROWWISE_COMMAND: 'npm start --' } })
    expect(stdout).toContain("if it is interrupted: npm start -- --resume 'it'\\''s'")
  })
})

describe('rowwise train --resume', () => {
  it('of a run that has all its epochs says so, and how to go on', async () => {
    const { exitCode, stdout } = await rowwise(['train', '--resume', whole])
    expect(exitCode).toBe(0)
    expect(stdout).toContain(`this run has all of its 3 epochs; to go on: rowwise train --resume ${whole} --epochs 13`)
    expect(stdout).not.toContain('if it is interrupted')
  })

  it('of a directory whose checkpoints are gone is refused, and its metrics stay', async () => {
    const out = join(temporaryDirectory(), 'gone')
    await rowwise(['train', '--epochs', '1', '--samples', '64', '--out', out])
    rmSync(join(out, 'checkpoints'), { recursive: true })
    const before = metricsOf(out)
    const { exitCode, stdout, stderr } = await rowwise(['train', '--resume', out])
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/has no checkpoint to resume from .* start a new run/)
    expect(metricsOf(out)).toEqual(before)
  })

  it('that is refused leaves the settings as they were, and the printed command works on', async () => {
    const out = join(temporaryDirectory(), 'refused')
    await rowwise(['train', '--epochs', '1', '--samples', '64', '--out', out])
    const config = readFileSync(join(out, 'config.json'), 'utf8')
    const images = temporaryDirectory()
    writeStripes(images, { side: 28, classes: 10 })
    const refused = await rowwise(['train', '--resume', out, '--data', images])
    expect([refused.exitCode, refused.stdout]).toEqual([2, ''])
    expect(readFileSync(join(out, 'config.json'), 'utf8')).toBe(config)
    expect((await rowwise(['train', '--resume', out, '--epochs', '2'])).exitCode).toBe(0)
  })

  it('refuses other settings, naming both values, and changes nothing', async () => {
    const before = metricsOf(whole)
    const refused: [string[], RegExp][] = [
      [['--batch-size', '32'], /--batch-size is 32, the run in .* has 64/],
      [['--seed', '1'], /--seed is 1, the run in .* has 0/],
      [['--hidden-size', '8'], /--hidden-size is 8, the run in .* has 16/],
      [['--samples', '640'], /--samples is 640, the run in .* has 1280/],
      [['--out', 'elsewhere'], /leave out --out/],
    ]
    for (const [args, message] of refused) {
      const { exitCode, stderr } = await rowwise(['train', '--resume', whole, ...args])
      expect([exitCode, stderr]).toEqual([2, expect.stringMatching(message)])
    }
    expect(metricsOf(whole)).toEqual(before)
  })

  it('refuses other images under the same settings', async () => {
    const { out } = await interrupted((child) => child.kill('SIGKILL'))
    const manifest = join(out, 'checkpoints/manifest.json')
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(/sha256:[0-9a-f]{8}/, 'sha256:00000000'))
    const { exitCode, stderr } = await rowwise(['train', '--resume', out])
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/trainingData was sha256:00000000.*, is now sha256:/)])
  })

  it('refuses settings that were altered, and a directory without a run', async () => {
    const out = join(temporaryDirectory(), 'altered')
    await rowwise(['train', '--epochs', '1', '--samples', '64', '--out', out])
    const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))
    writeFileSync(join(out, 'config.json'), JSON.stringify({ ...config, hiddenSize: -1 }))
    expect(await rowwise(['train', '--resume', out])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/config.json: hiddenSize: .*\n$/),
    })
    expect(await rowwise(['train', '--resume', 'nowhere'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/nowhere holds no run to resume/),
    })
  })

  it('goes on for more epochs', async () => {
    const out = join(temporaryDirectory(), 'longer')
    await rowwise(['train', ...settings, '--epochs', '1', '--out', out])
    await rowwise(['train', '--resume', out, '--epochs', '3'])
    expect(weightsOf(out)).toBe(weightsOf(whole))
  })

  it('loads what another kernel path saved, says so, and agrees within the stated tolerance', async () => {
    const out = join(temporaryDirectory(), 'elsewhere')
    await rowwise(['train', ...settings, '--epochs', '2', '--out', out])
    const { stdout } = await rowwise(['train', '--resume', out, '--epochs', '3'], { env: { ROWWISE_KERNELS: 'js' } })
    expect(stdout).toMatch(
      /computed by wasm, kernels with(out)? fused multiply-add before, by wasm, js kernels now: .* 1e-5/,
    )
    const loss = (directory: string) => metricsOf(directory).find(({ epoch, batch }) => epoch === 3 && batch === 1).loss
    expect(Math.abs(loss(out) - loss(whole))).toBeLessThan(1e-5)
  })

  it('goes on bit for bit with another number of threads, which is no difference to speak of', async () => {
    const out = join(temporaryDirectory(), 'threads')
    await rowwise(['train', ...settings, '--epochs', '2', '--out', out], { env: { ROWWISE_THREADS: '1' } })
    const { stdout } = await rowwise(['train', '--resume', out, '--epochs', '3'], { env: { ROWWISE_THREADS: '3' } })
    expect(stdout).not.toMatch(/computed by .* before/)
    expect(weightsOf(out)).toBe(weightsOf(whole))
  })

  it('gives machines where it goes on', async () => {
    const { stdout } = await rowwise(['train', '--resume', whole, '--json'])
    expect(JSON.parse(stdout.split('\n')[0])).toMatchObject({
      type: 'resumed',
      step: 60,
      epoch: 4,
      batch: 0,
      skipped: [],
    })
  })
})

describe('rowwise train, when', () => {
  it('the loss becomes NaN, stops with one line and keeps the last good checkpoint', async () => {
    const out = join(temporaryDirectory(), 'diverged')
    const run = await rowwise(['train', ...settings, '--lr', '3e37', '--checkpoint-every', '1', '--out', out])
    expect(run.exitCode).toBe(1)
    expect(run.stderr).toMatch(
      /^rowwise: epoch 1: the loss is .* at step 2 .*\(lr 3e\+37, gradient norm .*last good one is at step 1 .*\n$/,
    )
    const manifest = JSON.parse(readFileSync(join(out, 'checkpoints/manifest.json'), 'utf8'))
    expect(manifest.checkpoints.map(({ step }: { step: number }) => step)).toEqual([0, 1])
  })

  it.skipIf(smallDiskMissing)(
    'the disk is full, says so, keeps the last good checkpoint, and goes on when there is room',
    async () => {
      const out = temporaryDirectory()
      const train = `"${process.execPath}" "${program}" train`
      const { stdout, stderr } = await onSmallDisk(
        '400k',
        `${train} ${settings.join(' ')} --checkpoint-every 1 --keep 9 --out "$DISK/run"; echo "exit $?"
       find "$DISK" -name '*.tmp'; mount -o remount,size=8m "$DISK"; ${train} --resume "$DISK/run" --keep 1; cp "$DISK/run/model.safetensors" "${out}"`,
      )
      expect(stdout).toContain('exit 1')
      expect(stdout).not.toContain('.tmp')
      expect(stderr).toMatch(/^rowwise: .*could not be written: the disk is full.*last good one is at step \d+.*\n$/)
      expect(weightsOf(out)).toBe(weightsOf(whole))
    },
  )
})
