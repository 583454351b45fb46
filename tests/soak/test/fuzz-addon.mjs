// Calls the addon at random: right calls of every cell and size, with exactly the memory that they need, and wrong ones of every kind. Whatever
// comes, a call returns or throws, and touches nothing but its arrays; sanitizers watch. Arguments: the addon, rounds, seed.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const [file, rounds, seed] = process.argv.slice(2)
const addon = createRequire(import.meta.url)(file)

let state = Number(seed) >>> 0
function random() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return state / 2 ** 32
}
const integer = (low, high) => low + Math.floor(random() * (high - low + 1))
const chance = (share) => random() < share
const pick = (values) => values[integer(0, values.length - 1)]

const fields = readFileSync(new URL('../../../packages/rnn-kernels/kernels/job.h', import.meta.url), 'utf8')
const listed = (kind) => Array.from(fields.matchAll(new RegExp(`^ {2}${kind}\\((\\w+)`, 'gm')), ([, name]) => name)
const NAMES = listed('NUMBER')
const GATES = [4, 4, 3, 3, 3, 3, 1, 1]
const [ORDER, LENGTHS, STARTS, TOKENS] = ['order', 'lengths', 'starts', 'tokens'].map((name) =>
  listed('POINTER').indexOf(name),
)
const HOSTILE = [
  0,
  -1,
  1,
  2,
  7,
  63,
  65,
  4096,
  65536,
  2 ** 24,
  2 ** 24 + 1,
  2 ** 30,
  2 ** 31 - 1,
  -(2 ** 31),
  Number.NaN,
]

const machines = addon.machines.flatMap((name, place) => (name ? [place] : []))
const pools = [addon.startThreads(1), addon.startThreads(2)]
const floats = (length) => Float32Array.from({ length }, () => random() * 2 - 1)

function rightNumbers() {
  const job = Object.fromEntries(NAMES.map((name) => [name, integer(0, 1)]))
  const sizes = { cell: integer(0, 7), batch: integer(1, 21), time: integer(1, 7), threads: 3, borrows: 1 }
  Object.assign(job, sizes, { inputSize: integer(0, 20), hiddenSize: integer(1, 40), gradients: integer(0, 31) })
  job.vocabulary = chance(0.3) ? integer(1, 9) : 0
  job.shares = chance(0.4) ? integer(1, 5) : 0
  job.slices = job.shares ? 1 : integer(1, Math.min(job.batch, 8))
  return job
}

const asNumbers = (job) => Int32Array.from(NAMES, (name) => job[name])

function memory(machine, job, isWeights) {
  const numbers = asNumbers(job)
  const block = new Float32Array(Math.ceil(addon.layout(machine, numbers, isWeights) / 4)).fill(Number.NaN)
  const offsets = new Float64Array(64)
  addon.layout(machine, numbers, isWeights, block, offsets)
  return { block, offsets }
}

function writeLengths({ block, offsets }, { batch, time, hasLengths }) {
  if (!hasLengths) return
  const lengths = Array.from({ length: batch }, () => integer(1, time)).sort((a, b) => b - a)
  const at = (field, count) => new Int32Array(block.buffer, offsets[field], count)
  at(ORDER, batch).set(lengths.keys())
  at(LENGTHS, batch).set(lengths)
  let sum = 0
  at(STARTS, batch + 1).set([0, ...lengths.map((length) => (sum += length))])
}

function writeTokens({ block, offsets }, { batch, time, vocabulary }) {
  if (!vocabulary) return
  const tokens = new Int32Array(block.buffer, offsets[TOKENS], batch * time)
  for (let at = 0; at < tokens.length; at++) tokens[at] = chance(0.001) ? pick(HOSTILE) : integer(0, vocabulary - 1)
}

/** A forward and a backward pass; `spoil` changes the arguments of each call. */
function pass(spoil) {
  const machine = pick(machines)
  const job = rightNumbers()
  const numbers = asNumbers(job)
  const kept = memory(machine, job, 0)
  const weights = memory(machine, job, 1)
  writeLengths(kept, job)
  writeTokens(kept, job)
  const rows = GATES[job.cell] * job.hiddenSize
  const given = [floats(rows * job.inputSize), floats(rows * job.hiddenSize)]
  const biases = job.hasBias ? [floats(rows), floats(rows)] : [undefined, undefined]
  call('pack', spoil([machine, numbers, weights.block, ...given, ...biases]))
  const x = floats(job.batch * job.time * job.inputSize)
  call('forward', spoil([machine, numbers, kept.block, weights.block, x, anyPool()]))
  const dOutput = chance(0.7) ? floats(job.batch * job.time * job.hiddenSize) : undefined
  if (job.save || spoil !== right)
    call('backward', spoil([machine, numbers, kept.block, weights.block, anyPool(), anyPool(), dOutput]))
}

const anyPool = () => pick([-1, ...pools])

function linear(spoil) {
  const machine = pick(machines)
  const most = chance(0.1) ? 300 : 40
  const [rows, inFeatures, outFeatures] = [integer(0, most / 2), integer(1, most), integer(1, most)]
  const sizes = [machine, rows, inFeatures, outFeatures]
  const scratch = new Float32Array(3 * addon.linear(...sizes))
  const [x, weight, dY] = [floats(rows * inFeatures), floats(outFeatures * inFeatures), floats(rows * outFeatures)]
  const bias = chance(0.5) ? floats(outFeatures) : undefined
  call('linear', spoil([...sizes, x, weight, bias, new Float32Array(rows * outFeatures), scratch, anyPool()]))
  const gradients = [x, weight, { length: outFeatures }].map(({ length }) => new Float32Array(length))
  call('linearGradients', spoil([...sizes, dY, x, weight, ...gradients, scratch, anyPool()]))
}

function softmax(spoil) {
  const [machine, rows, classes] = [pick(machines), integer(0, 30), integer(1, chance(0.3) ? 200 : 20)]
  const probabilities = new Float32Array(rows * classes)
  const sizes = [machine, rows, classes, probabilities]
  call('softmax', spoil([...sizes, floats(rows * classes), new Float64Array(2 * rows), anyPool()]))
  const targets = Int32Array.from({ length: rows }, () => integer(0, classes - 1))
  call('softmaxGradient', spoil([...sizes, targets, floats(chance(0.5) ? 1 : rows), anyPool()]))
}

function peak(spoil) {
  call('multiplyAdds', spoil([pick(machines), integer(0, 100)]))
}

function adam(spoil) {
  const size = integer(0, 70)
  const arrays = Array.from({ length: 5 }, () => floats(size))
  call('adam', spoil([pick(machines), ...arrays, floats(8), anyPool()]))
}

const right = (values) => values

/** One argument is something else: a number out of range, a short or detached array, another kind, nothing. */
function wrong(values) {
  const changed = [...values]
  const place = integer(0, changed.length - 1)
  const value = changed[place]
  changed[place] = pick([
    () => pick(HOSTILE),
    () => (ArrayBuffer.isView(value) && value.length > 0 ? value.slice(0, integer(0, value.length - 1)) : undefined),
    () => (value instanceof Int32Array ? value.map((each) => (chance(0.15) ? pick(HOSTILE) : each)) : 'text'),
    () => (value instanceof Float32Array ? scribbled(value) : null),
    () => detached(),
    () => new Float64Array(4096),
    () => ({}),
    () => undefined,
  ])()
  return chance(0.1) ? changed.slice(0, place) : changed
}

/** What a wrong caller may leave among the integers of a block. */
function scribbled(values) {
  const integers = new Int32Array(values.buffer, values.byteOffset, values.length)
  for (let k = 0; k < Math.min(100, integers.length); k++) if (chance(0.2)) integers[k] = pick(HOSTILE)
  return values
}

function detached() {
  const array = new Float32Array(4096)
  structuredClone(array.buffer, { transfer: [array.buffer] })
  return array
}

let refused = 0
function call(name, values) {
  try {
    addon[name](...values)
  } catch (error) {
    if (error.code !== 'KERNEL_ARGUMENT') throw error
    refused += 1
  }
}

for (let round = 0; round < Number(rounds); round++)
  pick([pass, pass, pass, linear, softmax, adam, peak])(chance(0.5) ? right : wrong)
for (const pool of pools) addon.stopThreads(pool)
console.log(refused)
