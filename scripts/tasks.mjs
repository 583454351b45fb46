// What `npm start` and `npm test` run, on a fresh clone with Node and npm alone: npx brings pnpm onto the PATH, pnpm
// installs the workspace, turbo builds what changed.
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { handOver, run, step, together } from './steps.mjs'
import { turbo } from './turbo.mjs'

const [task, ...args] = process.argv.slice(2)
const pnpm = (...command) => run('pnpm', ['exec', ...command])
const node = (script) => run(process.execPath, [script])
const vitest = (paths, variables) => handOver('pnpm', ['exec', 'vitest', 'run', ...paths, ...args], variables)

const install = () =>
  step('installing', (tell) =>
    run('pnpm', ['install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only'], {
      onLine: (line) => {
        const [, added] = /^Progress: .*\badded (\d+)/.exec(line) ?? []
        if (added > 0) tell(`${added} dependencies`)
      },
    }),
  )

/** Builds all packages, or the one in a directory and what it needs. */
const build = (directory) => step('building (once, about a minute)', (tell) => turbo(['build'], { directory, tell }))

/** Installs, builds a program and runs it on the user's terminal. Signals go to both; this process waits for the program's end. */
async function program(directory, script, command, variables) {
  await install()
  await build(directory)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})
  await handOver(process.execPath, [`${directory}/${script}`, ...command, ...args], variables)
}

/** Everything but the tests, on all cores: first what needs no build beside the build, then the rest. */
async function check() {
  const cores = availableParallelism()
  await step('building, type-checking and linting', (tell) =>
    together(
      [
        () => turbo(['build', 'typecheck', 'publint'], { tell }),
        () => pnpm('biome', 'check', '--error-on-warnings'),
        () => node('scripts/changeset-check.mjs'),
      ],
      cores,
    ),
  )
  await step('checking API docs, public faces, exports and sizes', (tell) => {
    const named = (name, job) => () => job().then(() => tell(name))
    return together(
      [
        named('API docs', () => pnpm('typedoc', '--emit', 'none', '--logLevel', 'Warn')),
        named('public faces', () => node('scripts/api-reports.mjs')),
        named('exports', () => pnpm('knip', '--no-config-hints')),
        named('sizes', () => pnpm('size-limit')),
      ],
      cores,
    )
  })
}

/** The directory of the one package that paths of tests are in. */
function packageOf(paths) {
  const directories = new Set(paths.map((path) => /^(packages|apps|internal|tests)\/[^/]+/.exec(path)?.[0]))
  const [directory = ''] = directories
  return directories.size === 1 && existsSync(`${directory}/package.json`) ? directory : undefined
}

const tasks = {
  // ROWWISE_COMMAND is how the CLI tells the user to go on.
  start: () => program('apps/cli', 'dist/rowwise.js', ['train'], { ROWWISE_COMMAND: 'npm start --' }),
  bench: () => program('apps/bench', 'dist/rowwise-bench.js', []),
  playground: () => program('apps/playground', 'serve.mjs', []),
  async test() {
    await install()
    const paths = args.filter((argument) => !argument.startsWith('-'))
    if (paths.length === 0) await check()
    else await build(packageOf(paths))
    await vitest([])
  },
  async soak() {
    await install()
    await build()
    console.error('- 200 kills, minutes of fuzzing, 50 crowds on a cold cache')
    await vitest(['tests/soak', '--no-file-parallelism'], { ROWWISE_SOAK: '1' })
  },
  async release() {
    await install()
    await build()
    console.error(
      '- publishing to a registry on this machine, installing from there, and running the packages in every host',
    )
    const isNamed = args.some((argument) => argument.startsWith('tests/'))
    await vitest(isNamed ? [] : ['tests/release', 'tests/hosts'], { ROWWISE_RELEASE: '1' })
  },
  async pack() {
    await install()
    await build()
    rmSync('tarballs', { recursive: true, force: true })
    // Of the native code, what was built: for this machine.
    const platforms = 'packages/rnn-kernels/platforms'
    const built = readdirSync(platforms).filter((name) => existsSync(`${platforms}/${name}/rowwise.node`))
    const filters = ['packages/*', 'apps/cli', ...built.map((name) => `${platforms}/${name}`)]
    await step('packing into tarballs/', () =>
      run('pnpm', ['-r', ...filters.map((path) => `--filter=./${path}`), 'pack', '--pack-destination=tarballs']),
    )
  },
  async 'api-reports'() {
    await install()
    await build()
    await handOver(process.execPath, ['scripts/api-reports.mjs', '--write'])
  },
}

if (!Object.hasOwn(tasks, task)) {
  console.error(`unknown task '${task}', expected one of ${Object.keys(tasks).join(', ')}`)
  process.exit(2)
}
await tasks[task]().catch(({ message, exitCode = 1 }) => {
  if (message) console.error(message)
  process.exit(exitCode)
})
