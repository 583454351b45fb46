import { DISTURBED_TIMES } from '../measure/quietness'
import type { Report } from '../report/report'

/** How the figures of a report were found, as paragraphs of Markdown. */
export function methodOf(report: Report): string {
  return [subjects, timing(report), quiet(report), columns(report), limits, programs(report)]
    .filter((text) => text !== '')
    .join('\n\n')
}

const subjects = `**Subjects.** Every subject runs in its own process. Rowwise's training step is the whole of it: data loader, forward and
backward pass, loss, Adam. The peers' inputs are ready in memory, so they have no data loader to wait for. PyTorch's BLAS gets one thread, because
PyTorch's own threads are faster; "oneDNN" or "OpenBLAS" after its version is what computes its LSTM. onnxruntime only predicts. brain.js
takes one sequence at a time, so its batches are as many sequences, and has as many outputs as inputs, which it compares with the next row at every step.`

const timing = ({ seconds, rows }: Report): string => {
  const rounds = rows.map((row) => row.rounds.length)
  const [fewest, most] = [Math.min(...rounds), Math.max(...rounds)]
  const many = fewest === most ? `${most}` : `${fewest} to ${most}`
  return `**Timing.** After a warm-up, all subjects are timed at one batch size, a part of a second each, then at the next, round after round, until the medians
are stable or the time (${seconds} s here) is over. What a ratio compares was timed shortly after each other, so a machine that becomes slower becomes slower for all. A step is timed until its result can be read.
Figures are medians over the rounds, of which each row here has ${many}; a ratio is the median of the rounds' ratios. A step that would take over two seconds is left out.`
}

function quiet({ quiet: { patience, waited, runs, disturbed } }: Report): string {
  if (patience === 0) return '**Quiet.** The machine was not watched in this run (`--patience 0`).'
  return `**Quiet.** Before each run a small piece of work is timed on as many cores as the kernels use. If it takes over ${DISTURBED_TIMES} times its best
time, something else uses the machine, and the run waits, whichever subject it is. Here ${runs} runs waited ${Math.round(waited)} s in all, of the ${patience} s
they were allowed to; ${disturbed === 0 ? 'none began' : `${disturbed} began`} on a busy machine.`
}

const columns = ({
  peakGflops,
}: Report): string => `**Columns.** GFLOP/s count the multiply-adds of the LSTM's matrix products in the time of the whole step. "Of peak" compares them with a loop of
independent multiply-adds on as many cores, with the vectors of our best kernels (${peakGflops.toFixed(1)} GFLOP/s each). "Outside" is the share of
a step that the calling thread spends neither in the kernels nor waiting for their other threads. MAD is the median absolute deviation. "First" is the very first step, with
compilation and allocation. "Leaked" counts tensors that the steps left behind.`

const limits = `**Goals.** The limits against PyTorch are those against 2.x, which computes an LSTM with oneDNN; an older one stands beside it without limits. Other networks are trained on
one thread and on two, and two predict a single sequence. The products' share of the peak is taken of the time inside the kernels, the data loader's share from the question for a batch to the batch. A second layer is more work than the first, so growth with layers is measured by the multiply-adds that they add.`

function programs({ programs: all }: Report): string {
  if (all.length === 0) return ''
  const { epochs } = all[0]
  return `**Whole programs.** \`rowwise train\` and the same program in PyTorch with its DataLoader, and torchvision's MNIST and transforms where that is installed: ${epochs === 1 ? 'one epoch' : `${epochs} epochs`}
of the 60 000 images, each with a test on 10 000. Each program ran three times, in turn; the time is the median.`
}
