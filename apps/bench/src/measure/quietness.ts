import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { QuietReport } from '../report/report'
import { RunningChild } from '../subjects/running-child'
import { childProgram } from '../subjects/subjects'
import { REFERENCE_NETWORK } from '../workload'

/** Over this many times the best time of the same work, something else uses the machine. */
export const DISTURBED_TIMES = 1.2
const PROBES_AT_FIRST = 40
const PAUSE_MILLISECONDS = 100
const PROBE_SECONDS = 1

/** Times a fixed piece of work. */
export interface Probe {
  /** Milliseconds that the work takes now. */
  time(): Promise<number>
  /** Ends the probe. */
  end(): void
}

/** Waits until nothing else uses the machine, before every subject's runs alike, as long as its patience lasts. */
export class Quietness {
  readonly report: QuietReport
  private best = Number.POSITIVE_INFINITY

  /** @param patience seconds to wait in all; with 0 the machine is not watched */
  constructor(
    private readonly probe: Probe,
    patience: number,
    private readonly signal: AbortSignal,
  ) {
    this.report = { patience, waited: 0, runs: 0, disturbed: 0 }
  }

  /** Watches the machine through another process, on as many cores as there are threads, until `end`. */
  static async watch(threads: number, patience: number, signal: AbortSignal): Promise<Quietness> {
    if (patience === 0) return new Quietness({ time: async () => 0, end() {} }, patience, signal)
    const quietness = new Quietness(await startProbe(Math.min(threads, availableParallelism())), patience, signal)
    for (let count = 0; count < PROBES_AT_FIRST; count++) await quietness.isDisturbed()
    return quietness
  }

  /** Waits before a timed run, and counts it. */
  async beforeRun(onWait: () => void): Promise<void> {
    this.report.runs += 1
    if (!(await this.wait(onWait))) this.report.disturbed += 1
  }

  /** Waits until nothing else uses the machine, or the run is interrupted; false when patience was over before. */
  async wait(onWait: () => void): Promise<boolean> {
    const { report, signal } = this
    while (report.patience > 0 && !signal.aborted) {
      const began = performance.now()
      if (!(await this.isDisturbed())) return true
      if (report.waited >= report.patience) return false
      onWait()
      await sleep(PAUSE_MILLISECONDS)
      report.waited += (performance.now() - began) / 1000
    }
    return true
  }

  /** Ends the process that watched the machine. */
  end(): void {
    this.probe.end()
  }

  private async isDisturbed(): Promise<boolean> {
    const took = await this.probe.time()
    this.best = Math.min(this.best, took)
    return took > DISTURBED_TIMES * this.best
  }
}

async function startProbe(threads: number): Promise<Probe> {
  const subject = {
    ...{ name: 'quiet', get: 'npm install @rowwise/bench' },
    ...{ command: [process.execPath, childProgram('quiet')], task: { threads } },
  }
  const child = await RunningChild.start(subject, { network: REFERENCE_NETWORK })
  if ('error' in child) throw new Error(`the machine cannot be watched (--patience 0 does without): ${child.error}`)
  return {
    async time() {
      const answer = await child.ask({}, PROBE_SECONDS)
      if ('milliseconds' in answer) return Number(answer.milliseconds)
      throw new Error(`the machine cannot be watched any more: ${(answer as { error: string }).error}`)
    },
    end: () => child.kill(),
  }
}
