import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { rowwise } from '../../../apps/cli/test/rowwise'
import { isSoak, randomFor, report, TIMEOUT, temporaryDirectory } from './soak'

const KILLS = isSoak ? 200 : 6

/** 80 steps with dropout, a save after each: most of the time goes into saving, so most kills fall there. */
const settings = '--epochs 4 --samples 1280 --num-layers 2 --dropout 0.2 --hidden-size 16 --checkpoint-every 1'.split(
  ' ',
)

const weightsOf = (directory: string) => readFileSync(join(directory, 'model.safetensors')).toString('base64')

/** Files of a save that was under way: not named by the manifest. */
function leftovers(directory: string): number {
  const path = join(directory, 'checkpoints')
  const names = readdirSync(directory).includes('checkpoints') ? readdirSync(path) : []
  const manifest = names.includes('manifest.json') ? readFileSync(join(path, 'manifest.json'), 'utf8') : ''
  return names.filter((name) => name !== 'manifest.json' && !manifest.includes(`"${name}"`)).length
}

it(`a run that is killed at random instants, ${KILLS} times, ends with the weights of one that was not`, {
  timeout: TIMEOUT,
}, async () => {
  const random = randomFor(1)
  const whole = join(temporaryDirectory(), 'whole')
  const began = performance.now()
  await rowwise(['train', ...settings, '--out', whole])
  const wholeMilliseconds = performance.now() - began
  let [kills, runs, inSave, lives] = [0, 0, 0, 0]
  while (kills < KILLS) {
    const out = join(temporaryDirectory(), 'killed')
    let args = ['train', ...settings, '--out', out]
    for (let ended = false; !ended; lives++) {
      const instant = 100 + random.below(Math.ceil(wholeMilliseconds))
      const run = await rowwise(args, { killAfter: kills < KILLS ? instant : undefined })
      ended = run.exitCode === 0
      if (run.signal === 'SIGKILL') {
        kills += 1
        if (readdirSync(join(out, '..')).includes('killed')) inSave += leftovers(out) > 0 ? 1 : 0
        const begun = readdirSync(join(out, '..')).includes('killed') && readdirSync(out).includes('config.json')
        args = begun ? ['train', '--resume', out] : ['train', ...settings, '--out', out, '--force']
      } else {
        expect([run.exitCode, run.stderr]).toEqual([0, ''])
      }
    }
    expect(weightsOf(out)).toBe(weightsOf(whole))
    expect(leftovers(out)).toBe(0)
    runs += 1
  }
  report(
    `${kills} kills in ${lives} lives of ${runs} runs, ${inSave} of them in the middle of a save; all weights bit-equal`,
  )
})
