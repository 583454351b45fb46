// Runs commands and shows that they are alive: on a terminal in one line that counts the seconds, elsewhere in a line whenever
// something happens and every ten seconds. What a command prints is shown only if it fails.
import { spawn } from 'node:child_process'

const environment = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', TURBO_NO_UPDATE_NOTIFIER: '1' }
const isTerminal = process.stderr.isTTY
const show = (text) => process.stderr.write(text)
const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(0)} s`

/** What a command that failed printed, and its exit code. */
class CommandError extends Error {
  constructor(message, exitCode) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Does some work under a title. The work gets a function that tells how far it is. */
export async function step(title, work) {
  const start = Date.now()
  let progress = ''
  let lastLine = start
  const line = () => `- ${title}${progress && `: ${progress}`}, ${seconds(start)}`
  const refresh = () => {
    if (isTerminal) show(`\r\x1b[2K${line().slice(0, (process.stderr.columns || 80) - 1)}`)
    else if (Date.now() - lastLine >= 10_000) tell(progress)
  }
  const tell = (text) => {
    progress = text
    lastLine = Date.now()
    if (isTerminal) refresh()
    else show(`  ${progress && `${progress}, `}${seconds(start)}\n`)
  }
  if (!isTerminal) show(`- ${title}\n`)
  const timer = setInterval(refresh, 1000)
  try {
    await work(tell)
    if (isTerminal) show(`\r\x1b[2K- ${title}: ${seconds(start)}\n`)
    else if (Date.now() - start >= 2000) show(`  done in ${seconds(start)}\n`)
  } catch (error) {
    if (isTerminal) show('\r\x1b[2K')
    throw error
  } finally {
    clearInterval(timer)
  }
}

/** Runs a command and hands each line that it prints to `onLine`. When it fails, the error has what `explain` makes of them. */
export function run(command, args, { onLine = () => {}, explain = (lines) => lines } = {}) {
  const lines = []
  const child = start(command, args, ['ignore', 'pipe', 'pipe'])
  for (const stream of [child.stdout, child.stderr]) {
    let rest = ''
    stream.setEncoding('utf8').on('data', (chunk) => {
      const complete = (rest + chunk).split('\n')
      rest = complete.pop()
      lines.push(...complete)
      complete.forEach(onLine)
    })
    stream.on('end', () => rest && lines.push(rest))
  }
  return ending(child, command, () => explain(lines).join('\n'))
}

/** Runs a command on the user's terminal. */
export function handOver(command, args, variables) {
  return ending(start(command, args, 'inherit', variables), command, () => '')
}

/** Does all jobs, at most `limit` at a time. When some fail, the error has what all of them say. */
export async function together(jobs, limit) {
  const waiting = [...jobs]
  const failures = []
  const worker = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) await job().catch((error) => failures.push(error))
  }
  await Promise.all(Array.from({ length: limit }, worker))
  if (failures.length > 0) throw new CommandError(failures.map(({ message }) => message).join('\n\n'), 1)
}

const start = (command, args, stdio, variables = {}) =>
  spawn(command, args, { stdio, env: { ...environment, ...variables }, shell: process.platform === 'win32' })

function ending(child, command, output) {
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new CommandError(`${command} did not run: ${error.message}`, 1)))
    child.on('close', (status, signal) => {
      if (status === 0) resolve()
      else reject(new CommandError(output(), status ?? (signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : 1)))
    })
  })
}
