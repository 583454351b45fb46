// What `npm start` and `npm test` run, on a fresh clone with Node and npm alone: npx brings pnpm onto the PATH, pnpm
// installs the workspace, turbo builds what changed.
import { spawnSync } from 'node:child_process'

const [task, ...args] = process.argv.slice(2)
const environment = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', TURBO_NO_UPDATE_NOTIFIER: '1' }

/** Runs a command; when it fails shows what it printed, and ends with its exit code. */
function run(command, commandArgs, { quiet = false } = {}) {
  const { status, signal, stdout, stderr, error } = spawnSync(command, commandArgs, {
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    env: environment,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    shell: process.platform === 'win32',
  })
  if (status === 0) return
  if (quiet) process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`)
  if (error) console.error(`${command} did not run: ${error.message}`)
  process.exit(status ?? (signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : 1))
}

const turbo = (...tasks) =>
  run('pnpm', ['exec', 'turbo', 'run', ...tasks, '--output-logs=errors-only'], { quiet: true })

const install = () => run('pnpm', ['install', '--frozen-lockfile', '--prefer-offline'], { quiet: true })

/** The CLI on its way to the user's terminal gets their signals itself; this process waits for its end. */
function handOver(script) {
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {})
  run(process.execPath, [script, ...args])
}

const step = (title) => console.error(`- ${title}`)

const tasks = {
  start() {
    step('installing and building (once)')
    install()
    turbo('build', '--filter=@rowwise/cli')
    environment.ROWWISE_COMMAND = 'npm start --' // how the CLI tells the user to go on
    handOver('apps/cli/dist/rowwise.js')
  },
  bench() {
    step('installing and building (once)')
    install()
    turbo('build', '--filter=@rowwise/bench')
    handOver('apps/bench/dist/rowwise-bench.js')
  },
  playground() {
    step('installing and building (once)')
    install()
    turbo('build', '--filter=@rowwise/playground')
    handOver('apps/playground/serve.mjs')
  },
  soak() {
    step('installing and building')
    install()
    turbo('build')
    environment.ROWWISE_SOAK = '1'
    step('200 kills, minutes of fuzzing, 50 crowds on a cold cache')
    run('pnpm', ['exec', 'vitest', 'run', 'tests/soak', '--no-file-parallelism', ...args])
  },
  release() {
    step('installing')
    install()
    environment.ROWWISE_RELEASE = '1'
    step('publishing to a registry on this machine, and installing each package from there')
    run('pnpm', ['exec', 'vitest', 'run', 'tests/release', ...args])
  },
  test() {
    step('installing')
    install()
    step('building, type-checking and checking the packages')
    turbo('build', 'typecheck', 'publint')
    step('linting')
    run('pnpm', ['exec', 'biome', 'check', '--error-on-warnings'])
    step('checking exports, sizes, public faces, API docs and changesets')
    run('pnpm', ['exec', 'knip', '--no-config-hints'])
    run('pnpm', ['exec', 'size-limit'], { quiet: true })
    run(process.execPath, ['scripts/api-reports.mjs'])
    run('pnpm', ['exec', 'typedoc', '--emit', 'none', '--logLevel', 'Warn'], { quiet: true })
    run(process.execPath, ['scripts/changeset-check.mjs'])
    step('testing')
    run('pnpm', ['exec', 'vitest', 'run', ...args])
  },
}

if (!Object.hasOwn(tasks, task)) {
  console.error(`unknown task '${task}', expected one of ${Object.keys(tasks).join(', ')}`)
  process.exit(2)
}
tasks[task]()
