import { spawn } from 'node:child_process'

/** What a command came to. */
export interface Ended {
  exitCode: number | null
  stdout: string
  stderr: string
}

/** Runs a command to its end. */
export function run(
  command: string,
  args: string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<Ended> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended: Ended = { exitCode: null, stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk) => {
      ended[stream] += chunk
    })
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (exitCode) => resolve({ ...ended, exitCode }))
  })
}

/** Runs a command that must succeed; the error has what it printed. */
export async function succeed(...[command, args, options]: Parameters<typeof run>): Promise<Ended> {
  const ended = await run(command, args, options)
  if (ended.exitCode === 0) return ended
  throw new Error(`${command} ${args.join(' ')} ended with ${ended.exitCode}:\n${ended.stdout}\n${ended.stderr}`)
}

/** The environment without what npm, Vitest and the tests' own settings put there. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const isForeign = /^npm_|^NODE_(ENV|OPTIONS|PATH)$|^VITEST|^ROWWISE_|^(TEST|MODE|DEV|PROD|SSR|BASE_URL)$/i
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isForeign.test(name)))
}
