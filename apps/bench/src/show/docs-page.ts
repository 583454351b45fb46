import type { Report } from '../report/report'
import { methodOf } from './method'
import { doubtsIn, missedIn } from './missed'
import { renderMarkdown } from './table'
import {
  goalTable,
  growthTable,
  networkTable,
  programTable,
  ratioTable,
  stepTables,
  subjectTable,
  type Table,
} from './tables'
import { captionOf, panelsOf } from './throughput-chart'

interface Section {
  heading: string
  text: string
}

/** The whole page `benchmarks.md`; its chart is a file beside it. */
export function renderDocsPage(report: Report): string {
  const sections = sectionsOf(report).filter(({ text }) => text !== '')
  return `<!-- Written by \`rowwise-bench --docs\`. Do not edit: the next run replaces it. -->

# Benchmarks

${[introduction(report), doubts(report)].filter((text) => text !== '').join('\n\n')}

![${altText(report)}](bench/throughput.svg)

${captionOf(panelsOf(report.rows))}

${sections.map(({ heading, text }) => `## ${heading}\n\n${text}`).join('\n\n')}
`
}

function sectionsOf(report: Report): Section[] {
  const [training, prediction] = stepTables(report.rows).map(table)
  return [
    { heading: 'Goals', text: goals(report) },
    { heading: 'What was missed', text: missedIn(report) },
    { heading: 'The machine', text: machine(report) },
    { heading: 'How it was measured', text: methodOf(report) },
    {
      heading: 'Ours against each peer',
      text: after(
        'The fastest of ours against the fastest of each peer. A ratio is the median of the rounds’ ratios.',
        ratioTable(report.rows),
      ),
    },
    { heading: 'Training steps', text: training },
    { heading: 'Predictions', text: prediction },
    {
      heading: 'Whole programs',
      text: after('From the start of a process to its end, the median of three turns.', programTable(report)),
    },
    {
      heading: 'Other networks',
      text: after('Training steps, and predictions of one sequence.', networkTable(report)),
    },
    {
      heading: 'How a training step grows',
      text: after(
        'With time steps (T), batch (N), hidden size (H) and layers. Time is size to the power of the exponent.',
        growthTable(report),
      ),
    },
    { heading: 'Versions', text: table(subjectTable(report)) },
    { heading: 'Not measured', text: absent(report) },
  ]
}

function introduction({ network, date, machine: { cpu, cores } }: Report): string {
  const { time, inputSize, hiddenSize, numLayers, numClasses } = network
  const layers = `${numLayers} LSTM layer${numLayers > 1 ? 's' : ''} of ${hiddenSize}`
  return (
    `How fast an LSTM trains and predicts: ${time} steps of ${inputSize} pixels of MNIST, ${layers}, ${numClasses} classes. ` +
    `Measured on ${date.slice(0, 10)} on this machine: ${cpu}, ${cores} cores. Times are its own; ratios say more.`
  )
}

/** Above everything else, where nobody misses it. */
function doubts(report: Report): string {
  const sentences = doubtsIn(report)
  return sentences.length === 0 ? '' : `> **These figures may be wrong.** ${sentences.join(' ')}`
}

function altText({ rows }: Report): string {
  const panels = panelsOf(rows).map(
    ({ kind, batch, bars }) =>
      `${kind === 'train' ? 'Training' : 'Prediction'} at batch ${batch}: ${bars.map(({ subject, samplesPerSecond }) => `${subject} ${Math.round(samplesPerSecond)}`).join(', ')}`,
  )
  return `Samples per second. ${panels.join('. ')}.`
}

function goals(report: Report): string {
  const drawn = table(goalTable(report))
  if (drawn === '') return ''
  return `What Rowwise holds itself to. "At least" must hold, the "aim" would be good; the result says which of the two was reached.

${drawn}`
}

function machine({ machine, subjects, peakGflops, command, date }: Report): string {
  const vectors = machine.vectors === null ? '' : `, ${machine.vectors}`
  const versions = subjects.map(({ description }) => /, Node ([\d.]+)$/.exec(description)?.[1] ?? machine.node)
  const others = [...new Set(versions)]
    .filter((version) => version !== machine.node)
    .map((version) => `, ours also on ${version}`)
    .join('')
  return `| | |
| --- | --- |
| processor | ${machine.cpu}${vectors} |
| cores | ${machine.cores} |
| memory | ${machine.memoryGiB} GiB |
| system | ${machine.os} |
| Node | ${machine.node} ran the benchmark and the JavaScript peers${others} |
| peak | ${peakGflops.toFixed(1)} GFLOP/s a core, by a loop of multiply-adds |
| date | ${date.slice(0, 10)} |

The command, with paths shortened:

\`\`\`sh
${withoutPaths(command)}
\`\`\``
}

function absent({ absent: all }: Report): string {
  return all.map(({ subject, reason }) => `- ${subject}: ${withoutPaths(reason)}`).join('\n')
}

function table({ head, rows, left }: Table): string {
  return rows.length === 0 ? '' : renderMarkdown(head, rows, left)
}

const after = (text: string, drawn: Table): string => (drawn.rows.length === 0 ? '' : `${text}\n\n${table(drawn)}`)

/** Only the last part of each path: directories differ on every machine and may name its user. */
export function withoutPaths(text: string): string {
  return text.replaceAll(/(?<![\w/:.@-])(?:file:\/\/)?(?:\.{0,2}\/)(?:[\w.@+~-]+\/)*([\w.@+~-]+)/g, '$1')
}
