import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { kernelReport } from '@rowwise/models-rnn'
import { expect, it } from 'vitest'
import { rowwise, temporaryDirectory } from './rowwise'

const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
const [, afterOneEpoch] = readme.match(/`[0-9a-f]{64}`/g) ?? []

// Ten epochs are the first of the two; they take too long for a test, and are the same ten times over.
it.runIf(kernelReport().fused)(
  'the reference program ends its first epoch in the weights that the README states, on every machine with fused multiply-add',
  { timeout: 300_000 },
  async () => {
    const out = join(temporaryDirectory(), 'run')
    await rowwise(['train', '--epochs', '1', '--out', out])
    const hash = createHash('sha256')
      .update(readFileSync(join(out, 'model.safetensors')))
      .digest('hex')
    expect(`\`${hash}\``).toBe(afterOneEpoch)
  },
)
