import { compile, sources, writeGenerated } from '../../scripts/compile-c.mjs'
import { sourcesHash } from './build-native.mjs'

const root = new URL('.', import.meta.url)

const FLAGS = [
  // Small: the modules travel as text. Loops are unrolled and made of vectors where the source says so.
  ...['-O2', '-fno-vectorize', '-fno-slp-vectorize', '-fno-unroll-loops', '-Wl,--strip-all'],
  '-matomics',
  // Loop strength reduction derives the rows' addresses from each other: six additions that wait for one another in every turn.
  ...['-mllvm', '-disable-lsr'],
  // 2 GiB, as MAX_PAGES in src/runtimes/wasm/arena.ts, and STACK_BYTES of wasm-runtime.ts. Each thread sets its stack pointer.
  '-Wl,--shared-memory,--max-memory=2147483648,--export=__stack_pointer,-z,stack-size=16384',
]

/** The numbers of the job's fields and of the cells: the lists in C are the only ones. */
function constants(tree) {
  const listed = (text, pattern) =>
    Object.fromEntries([...text.matchAll(pattern)].map(([, name], index) => [name, index]))
  const numbers = Object.keys(listed(tree['job.h'], /^ {2}(?:NUMBER)\((\w+)/gm))
  const fields = listed(tree['job.h'], /^ {2}(?:NUMBER|POINTER)\((\w+)/gm)
  const cells = listed(tree['cells.h'], /^ {2}CELL\((\w+)/gm)
  const parts = /#define COLLECT_PARTS (\d+)/.exec(tree['collect.h'])[1]
  const line = /CACHE_LINE = (\d+)/.exec(tree['layout.h'])[1]
  return [
    `/** The word of each field of a job. */\nexport const FIELDS = ${JSON.stringify(fields)} as const`,
    `/** The fields that are numbers or flags, which come first. */\nexport const NUMBERS = ${JSON.stringify(numbers)} as const`,
    `/** The index of each cell. */\nexport const CELLS = ${JSON.stringify(cells)} as const`,
    `/** The word of a share's phases where those that are done are counted. */\nexport const DONE_PHASES = ${line}`,
    `/** Parts in which weight gradients are collected. */\nexport const COLLECT_PARTS = ${parts}`,
  ]
}

const tree = await sources(new URL('kernels/', root))
await writeGenerated(root, 'job', constants(tree))
await writeGenerated(root, 'sources', [
  `/** Which sources an addon must be built from. */\nexport const SOURCES = '${sourcesHash()}'`,
])
await writeGenerated(root, 'modules', [
  `export const SIMD_MODULE = '${await compile(tree, 'kernels.c', ...FLAGS)}'`,
  `export const RELAXED_SIMD_MODULE = '${await compile(tree, 'kernels.c', ...FLAGS, '-mrelaxed-simd')}'`,
])
