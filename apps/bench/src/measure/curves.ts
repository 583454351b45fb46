import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Curve } from '../report/report'
import { childProgram, type Subject } from '../subjects/subjects'

/** The loss by step on the real MNIST of each of ours in Node, with the same seed for all. */
export async function measureCurves(
  subjects: readonly Subject[],
  signal: AbortSignal,
  onProgress: (text: string) => void,
): Promise<Curve[]> {
  const curves: Curve[] = []
  for (const { name, isOurs, runtime, command, task } of subjects) {
    if (!isOurs || !runtime.startsWith('Node') || signal.aborted) continue
    onProgress(`training ${name}`)
    try {
      const { stdout } = await promisify(execFile)(command[0], [childProgram('curve'), JSON.stringify(task)])
      curves.push({ subject: name, losses: JSON.parse(stdout) })
    } catch {
      // A subject that cannot train is named among those that were not measured.
    }
  }
  return curves
}
