import { type Goal, goalsOf } from '../report/goals'
import { ratiosOf } from '../report/ratios'
import type { Report } from '../report/report'
import { foundIn, KINDS, limitIn, ms } from './tables'

/** What a run missed, in sentences; says so when it missed nothing. */
export function missedIn(report: Report): string {
  const goals = goalsOf(report)
  const lists = [
    list('Below what must hold:', goals.filter(({ verdict }) => verdict === 'missed').map(belowLimit)),
    list('Short of the aim:', goals.filter(({ verdict }) => verdict === 'at least').map(belowAim)),
    list('A peer is faster than the fastest of ours:', slower(report)),
  ].filter((text) => text !== '')
  return lists.length === 0 ? 'Nothing: every aim was reached, and no peer was faster.' : lists.join('\n\n')
}

const list = (heading: string, lines: string[]): string =>
  lines.length === 0
    ? ''
    : [heading, '', ...lines.map((line) => `- ${line[0].toUpperCase()}${line.slice(1)}`)].join('\n')

const belowLimit = (goal: Goal): string => {
  const limit = limitIn(goal, goal.atLeast)
  return `${goal.measure}, on ${goal.on}: ${foundIn(goal)}, expected ${goal.isLessBetter ? limit : `at least ${limit}`}.`
}

const belowAim = (goal: Goal): string =>
  `${goal.measure}, on ${goal.on}: ${foundIn(goal)}, the aim is ${limitIn(goal, goal.aim)}.`

function slower({ rows }: Report): string[] {
  return ratiosOf(rows)
    .filter(({ ratio }) => ratio < 1)
    .map(({ kind, batch, ours, peer, ratio }) => {
      const [own, other] = [`${ours.subject}: ${ms(ours.median)} ms`, `${peer.subject}: ${ms(peer.median)} ms`]
      return `${KINDS[kind]} ${batch}: ${other}; ${own}, ${Number(ratio.toPrecision(3))} × as fast.`
    })
}

/** Why the figures of a run may be wrong, in sentences. */
export function doubtsIn({ quiet, rows, isInterrupted }: Report): string[] {
  const leaking = rows.filter(({ leaked, isOurs }) => isOurs && leaked > 0)
  return [
    ...(isInterrupted ? ['It was interrupted before everything was measured.'] : []),
    ...(quiet.patience === 0 ? ['The machine was not watched for other programs (`--patience 0`).'] : []),
    ...(quiet.disturbed > 0
      ? [
          `${quiet.disturbed} of ${quiet.runs} runs began while something else used the machine, because the patience of ${quiet.patience} s was over.`,
        ]
      : []),
    ...leaking.map(
      ({ subject, kind, batch, leaked }) => `${subject} left ${leaked} tensors behind (${KINDS[kind]} ${batch}).`,
    ),
  ]
}
