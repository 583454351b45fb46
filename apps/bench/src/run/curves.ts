import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type Contestant, childProgram } from '../contestants/contestants'
import type { Curve } from './report'

/** The loss by step of each of ours on the real MNIST, the same seed for all. */
export async function measureCurves(
  contestants: readonly Contestant[],
  onProgress: (text: string) => void,
): Promise<Curve[]> {
  const curves: Curve[] = []
  for (const { name, isOurs, command, task } of contestants) {
    if (!isOurs) continue
    onProgress(`training ${name}`)
    try {
      const { stdout } = await promisify(execFile)(command[0], [childProgram('curve'), JSON.stringify(task)])
      curves.push({ contestant: name, losses: JSON.parse(stdout) })
    } catch {
      // A contestant that cannot train has said so in its rows.
    }
  }
  return curves
}
