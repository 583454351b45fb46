import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { onSmallDisk, smallDiskMissing } from '../../../scripts/on-small-disk'
import { program, rowwise, shell, temporaryDirectory } from './rowwise'

const quick = ['--epochs', '1', '--samples', '64']
const isLinux = process.platform === 'linux'
/** Root may write everywhere, so permissions are tested as somebody else. */
const asNobody = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--clear-groups', '--'] : []

describe('rowwise train refuses at once, with exit code 2 and one line that names the directory and --out,', () => {
  const directory = temporaryDirectory()
  writeFileSync(join(directory, 'file'), 'mine')

  it.each<[string, string[], RegExp]>([
    ['an empty name', ['--out', ''], /^rowwise: --out is empty; name a directory/],
    [
      'a file in its place',
      ['--out', join(directory, 'file')],
      /--out .*file cannot be made: a file is where a directory/,
    ],
    ['a directory below a file', ['--out', join(directory, 'file/x')], /file\/x cannot be made: a file is where/],
  ])('%s', async (_, args, message) => {
    const { exitCode, stdout, stderr } = await rowwise(['train', ...quick, ...args])
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/^[^\n]*--out[^\n]*\n$/)
    expect(readFileSync(join(directory, 'file'), 'utf8')).toBe('mine')
  })

  it.runIf(isLinux)('a place where nothing can be made, such as /proc', async () => {
    const { exitCode, stderr } = await rowwise(['train', ...quick, '--out', '/proc/rowwise'])
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/^rowwise: --out \/proc\/rowwise cannot be made: .*choose another directory with --out\n$/)
  })

  it.runIf(isLinux)('a working directory that was deleted', async () => {
    const script = `mkdir gone && cd gone && rmdir ../gone && exec "${process.execPath}" "${program}" train ${quick.join(' ')}`
    const { exitCode, stderr } = await shell(script)
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/default output directory runs\/ cannot be made: .*working directory was deleted.*--out\n$/)
  })

  it.runIf(isLinux && asNobody.length > 0)('a directory without the right to write, given or default', async () => {
    const cwd = temporaryDirectory()
    for (const path of [tmpdir(), cwd]) chmodSync(path, 0o755)
    mkdirSync(join(cwd, 'made'))
    for (const [args, message] of [
      ['', /default output directory runs\/ cannot be made: there is no permission/],
      ['--out here', /--out here cannot be made: there is no permission/],
      ['--out made', /output directory made cannot be written: there is no permission/],
    ] as const) {
      const command = [...asNobody, `"${process.execPath}"`, `"${program}"`, 'train', ...quick, args].join(' ')
      const { exitCode, stdout, stderr } = await shell(`cd "${cwd}" && exec ${command}`)
      expect([exitCode, stdout, stderr]).toEqual([2, '', expect.stringMatching(message)])
    }
  })

  it.skipIf(smallDiskMissing)('a file system that is mounted to be read', async () => {
    const { stdout, stderr } = await onSmallDisk(
      '400k',
      `mount -o remount,ro "$DISK"; "${process.execPath}" "${program}" train ${quick.join(' ')} --out "$DISK/run"; echo "exit $?"`,
    )
    expect(stdout).toBe('exit 2\n')
    expect(stderr).toMatch(/run cannot be made: the file system is read-only/)
  })
})

describe('the output directory', () => {
  it('is not made for a run that never begins', async () => {
    const cwd = temporaryDirectory()
    expect((await rowwise(['train', '--data', 'none'], { cwd })).exitCode).toBe(2)
    expect((await rowwise(['train', '--data', 'none', '--out', 'a/b'], { cwd })).exitCode).toBe(2)
    expect(readdirSync(cwd)).toEqual([])
  })

  it('of an earlier run stays whole when the run that would replace it is refused', async () => {
    const out = join(temporaryDirectory(), 'run')
    await rowwise(['train', ...quick, '--out', out])
    const before = readFileSync(join(out, 'model.safetensors'))
    await rowwise(['train', ...quick, '--out', out, '--force', '--data', 'none'])
    expect(readFileSync(join(out, 'model.safetensors')).equals(before)).toBe(true)
  })

  it('is one program’s: a second one is refused at once and the first ends as ever', async () => {
    const out = join(temporaryDirectory(), 'run')
    let second: ReturnType<typeof rowwise> | undefined
    const first = await rowwise(['train', '--epochs', '2', '--samples', '32000', '--out', out], {
      onOutput(text) {
        if (/Epoch 1/.test(text)) second ??= rowwise(['train', ...quick, '--out', out, '--force'])
      },
    })
    expect(await second).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringMatching(/is in use by process \d+/),
    })
    expect([first.exitCode, first.stderr]).toEqual([0, ''])
    expect(readdirSync(out).sort()).toEqual(['checkpoints', 'config.json', 'metrics.jsonl', 'model.safetensors'])
  })

  it('of a program that was killed is taken over', { timeout: 60_000 }, async () => {
    const out = join(temporaryDirectory(), 'run')
    await rowwise(['train', '--epochs', '2', '--samples', '12800', '--out', out], {
      onOutput: (text, child) => void (/Epoch 1/.test(text) && child.kill('SIGKILL')),
    })
    expect(existsSync(join(out, 'lock-1.json'))).toBe(true)
    expect((await rowwise(['train', '--resume', out])).exitCode).toBe(0)
    expect(readdirSync(out).filter((name) => name.startsWith('lock-'))).toEqual([])
  })

  it('may be there already, and keeps what is not ours', async () => {
    const out = temporaryDirectory()
    mkdirSync(join(out, 'notes'))
    expect((await rowwise(['train', ...quick, '--out', out])).exitCode).toBe(0)
    expect(existsSync(join(out, 'notes'))).toBe(true)
  })
})
