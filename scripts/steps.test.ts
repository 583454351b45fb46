import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { run, together } from './steps.mjs'

const node = (script: string) => run(process.execPath, ['-e', script])

/** What a script that uses the steps writes to its terminal, which is a pipe here, and its exit code. */
function program(body: string) {
  const script = `import { run, step } from ${JSON.stringify(new URL('steps.mjs', import.meta.url).href)}\n${body}`
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
}

describe('run', () => {
  it('fails with all that the command printed and with its exit code', async () => {
    const script = "console.log('one'); console.error('two'); process.exitCode = 3"
    await expect(node(script)).rejects.toMatchObject({
      message: expect.stringMatching(/^(one\ntwo|two\none)$/),
      exitCode: 3,
    })
  })

  it('fails with what is explained of it', async () => {
    const explain = (lines: string[]) => lines.filter((line) => line.startsWith('error'))
    const script = "console.log('noise'); console.log('error 1'); process.exit(1)"
    await expect(run(process.execPath, ['-e', script], { explain })).rejects.toMatchObject({ message: 'error 1' })
  })

  it('hands on every line as it comes', async () => {
    const lines: string[] = []
    await run(process.execPath, ['-e', "console.log('a\\nb'); console.log('c')"], {
      onLine: (line) => lines.push(line),
    })
    expect(lines).toEqual(['a', 'b', 'c'])
  })

  it('says which command is not there', async () => {
    await expect(run('no-such-command', [])).rejects.toMatchObject({
      message: expect.stringContaining('no-such-command did not run'),
      exitCode: 1,
    })
  })
})

describe('step', () => {
  it('writes its title, how far it is, and nothing of what its commands print', () => {
    const { stdout, stderr } = program(`
      await step('building', async (tell) => {
        tell('1 of 2, first')
        await run(process.execPath, ['-e', "console.log('noise')"])
      })`)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^- building\n {2}1 of 2, first, \d+ s\n/)
    expect(stderr).not.toContain('noise')
  })
})

describe('together', () => {
  it('does every job, with no more than the limit under way', async () => {
    let underWay = 0
    const seen: number[] = []
    const job = async () => {
      seen.push(++underWay)
      await new Promise((resolve) => setImmediate(resolve))
      underWay--
    }
    await together([job, job, job, job, job], 2)
    expect(seen).toHaveLength(5)
    expect(Math.max(...seen)).toBe(2)
  })

  it('does the others when one fails, and fails with what all failures say', async () => {
    const done: string[] = []
    const fails = (message: string) => async () => {
      throw new Error(message)
    }
    const jobs = [fails('lint: a comma'), async () => void done.push('types'), fails('sizes: too large')]
    await expect(together(jobs, 1)).rejects.toMatchObject({ message: 'lint: a comma\n\nsizes: too large', exitCode: 1 })
    expect(done).toEqual(['types'])
  })
})
