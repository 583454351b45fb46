import { setTimeout as sleep } from 'node:timers/promises'
import { childProgram } from '../contestants/contestants'
import { RunningChild } from '../contestants/running-child'
import { REFERENCE_NETWORK } from '../workload'

/** Work that takes so many times as long as at its best says that something else uses the machine. */
const DISTURBED = 1.2
const PROBES_AT_FIRST = 40
const PAUSE_MILLISECONDS = 100
const PROBE_SECONDS = 1

/** How quiet the machine was while a report was made. */
export interface QuietReport {
  /** Seconds that went by in waiting. */
  waited: number
  /** Turns that were taken. */
  turns: number
  /** Those of them that were taken although the machine was disturbed, because patience was over. */
  disturbed: number
}

/** What waits until nothing else uses the machine, for everyone alike, as long as its patience lasts. */
export class Quietness {
  readonly report: QuietReport = { waited: 0, turns: 0, disturbed: 0 }
  private best = Number.POSITIVE_INFINITY

  /**
   * @param probe milliseconds that a fixed piece of work takes now
   * @param patience seconds to wait in all
   */
  constructor(
    private readonly probe: () => Promise<number>,
    private readonly patience: number,
    private readonly signal: AbortSignal,
  ) {}

  /** Looks at the machine through a process of its own, on so many cores; `end` ends that process. */
  static async watch(
    threads: number,
    patience: number,
    signal: AbortSignal,
  ): Promise<{ quietness: Quietness; end: () => void }> {
    const contestant = {
      ...{ name: 'quiet', isOurs: false, kinds: [], get: 'npm install @rowwise/bench' },
      ...{ command: [process.execPath, childProgram('quiet')], task: { threads } },
    }
    const child = await RunningChild.start(contestant, { network: REFERENCE_NETWORK })
    if ('error' in child) throw new Error(child.error)
    const quietness = new Quietness(
      async () => {
        const answer = await child.ask({}, PROBE_SECONDS)
        // NaN, of a process that is gone, compares as quiet.
        return 'milliseconds' in answer ? Number(answer.milliseconds) : Number.NaN
      },
      patience,
      signal,
    )
    if (patience > 0) for (let count = 0; count < PROBES_AT_FIRST; count++) await quietness.isDisturbed()
    return { quietness, end: () => child.kill() }
  }

  /** Waits for the time of a turn, and counts it. */
  async turn(onWait: () => void): Promise<void> {
    this.report.turns += 1
    if (!(await this.wait(onWait))) this.report.disturbed += 1
  }

  /** Waits until nothing else uses the machine; false when patience was over before. */
  async wait(onWait: () => void): Promise<boolean> {
    const { report, patience, signal } = this
    while (patience > 0 && (await this.isDisturbed()) && !signal.aborted) {
      if (report.waited >= patience) return false
      onWait()
      const began = performance.now()
      await sleep(PAUSE_MILLISECONDS)
      report.waited += (performance.now() - began) / 1000
    }
    return true
  }

  private async isDisturbed(): Promise<boolean> {
    const took = await this.probe()
    this.best = Math.min(this.best, took)
    return took > DISTURBED * this.best
  }
}
