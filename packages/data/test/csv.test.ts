import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { columnScales, DataLoader, type ReadProgress, type Samples, subset, windows } from '@rowwise/data'
import { readCSV } from '@rowwise/data/csv'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const directory = mkdtempSync(join(tmpdir(), 'rowwise-csv-'))
const written = (content: string | Uint8Array) => {
  const file = join(directory, 'data.csv')
  writeFileSync(file, content)
  return file
}
const code = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })

describe('readCSV', () => {
  it('reads the columns of a file that it is asked for', async () => {
    const table = await readCSV(written('when,open,close\n2024-01-01,1,2.5\n2024-01-02,-3e2,4\n'), {
      columns: ['close', 'open'],
    })
    expect([table.rows, table.columns, table.column('close'), table.column('open')]).toEqual([
      2,
      ['close', 'open'],
      Float64Array.of(2.5, 4),
      Float64Array.of(1, -300),
    ])
  })

  it.each<[string, string, object]>([
    ['a byte order mark, Windows’ ends of lines and no last one', '\uFEFFa,b\r\n1,2\r\n3,4', {}],
    ['a byte order mark before quotes, and ends of lines of both kinds', '\uFEFF"a",b\r\n1,2\n3,4\r\n', {}],
    ['quotes', '"a","b"\n"1","2"\n3,4\n', {}],
    ['spaces, and lines that are empty', 'a, b\n1, 2\n\n3 ,4\n\n', {}],
    ['semicolons', 'a;b\n1;2\n3;4\n', { delimiter: ';' }],
    ['tabs', 'a\tb\n1\t2\n3\t4\n', { delimiter: '\t' }],
  ])('takes %s', async (_, text, options) => {
    const table = await readCSV(written(text), options)
    expect([table.column('a'), table.column('b')]).toEqual([Float64Array.of(1, 3), Float64Array.of(2, 4)])
  })

  it('has the same numbers wherever the chunks of the content end', async () => {
    const number = fc.double({ noNaN: true, noDefaultInfinity: true })
    const rows = fc.array(fc.tuple(number, number), { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(rows, fc.boolean(), fc.integer({ min: 1, max: 9 }), async (values, isQuoted, size) => {
        const shown = (value: number) => (isQuoted ? `"${value}"` : String(value))
        const text = ['a,"b, in €"', ...values.map((row) => row.map(shown).join())].join(isQuoted ? '\r\n' : '\n')
        const bytes = new TextEncoder().encode(text)
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, k) =>
          bytes.subarray(k * size, (k + 1) * size),
        )
        const table = await readCSV(chunks)
        expect([...table.column('a')]).toEqual(values.map(([a]) => a))
        expect([...table.column('b, in €')]).toEqual(values.map(([, b]) => b))
      }),
      { numRuns: 60 },
    )
  })

  it('tells how far it is, and stops at a signal', async () => {
    const file = written(`a\n${'1\n'.repeat(10)}`)
    const told: ReadProgress[] = []
    await readCSV(file, { onProgress: (progress) => void told.push(progress) })
    expect(told).toEqual([{ source: file, done: 22, total: 22 }])
    await expect(readCSV(file, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  })

  it.each<[string, string, object, RegExp]>([
    ['a row that is too short', 'a,b\n1,2\n3\n', {}, /data\.csv:3: has 1 values, expected 2: a, b/],
    ['a row that is too long', 'a,b\n1,2,3\n', {}, /data\.csv:2: has 3 values, expected 2/],
    ['semicolons', 'a;b\n1;2\n', {}, /data\.csv:1: the header is one column; is the separator ";"\?/],
    [
      'commas for points',
      'a;b\n1,5;2\n',
      { delimiter: ';' },
      /data\.csv:2: a is "1,5", expected a finite number; write it with a point/,
    ],
    [
      'a text',
      'a,b\n1,2\n1,two\n',
      {},
      /data\.csv:3: b is "two", expected a finite number; .*columns to read without b/,
    ],
    ['a value that is missing', 'a,b\n1,\n', {}, /data\.csv:2: b has no value; fill it in/],
    ['NaN', 'a,b\n1,NaN\n', {}, /data\.csv:2: b is "NaN"/],
    ['infinity', 'a,b\n1,-Infinity\n', {}, /data\.csv:2: b is "-Infinity"/],
    ['no header', '1,2\n3,4\n', {}, /data\.csv:1: the first line has numbers, expected a header/],
    ['a name that is there twice', 'a,a\n1,2\n', {}, /'a' twice/],
    ['a column that is not there', 'a,b\n1,2\n', { columns: ['c'] }, /there is no column 'c', expected one of a, b/],
    ['a header alone', 'a,b\n', {}, /has a header but no row/],
    ['nothing', '', {}, /is empty/],
    ['an open quote', 'a,b\n1,"2\n', {}, /data\.csv:2: .*[Qq]uote/],
    ['too many rows', 'a\n1\n2\n3\n', { maxRows: 2 }, /data\.csv:4: more than 2 rows/],
  ])('refuses %s, with the place', async (_, text, options, message) => {
    await expect(readCSV(written(text), options)).rejects.toThrow(code('CSV_INVALID', message))
  })

  it('refuses what is not UTF-8, a file that is not there, a directory, and options that it does not have', async () => {
    await expect(readCSV(written(Uint8Array.of(97, 10, 0xff, 10)))).rejects.toThrow(code('CSV_INVALID', /is not UTF-8/))
    await expect(readCSV(join(directory, 'gone.csv'))).rejects.toThrow(
      code('DATA_NOT_FOUND', /gone\.csv cannot be read/),
    )
    await expect(readCSV(directory)).rejects.toThrow(code('DATA_NOT_FOUND', /is a directory/))
    await expect(readCSV('x', { separator: ';' } as object)).rejects.toThrow(
      code('LOADER_OPTION', /no option 'separator'/),
    )
    await expect(readCSV('x', { delimiter: '' })).rejects.toThrow(code('LOADER_OPTION', /delimiter is ""/))
  })
})

describe('windows', () => {
  const table = () => readCSV(['t,x\n', ...Array.from({ length: 10 }, (_, n) => `${n},${10 * n}\n`)])

  it('reads rows, and forecasts those after them', async () => {
    const series = windows(await table(), { window: 3, horizon: 2, step: 2, target: 'x' })
    expect(series.length).toBe(3)
    expect(series.get(Int32Array.of(2, 0))).toEqual({
      inputs: { data: Float32Array.of(4, 40, 5, 50, 6, 60, 0, 0, 1, 10, 2, 20), shape: [2, 3, 2] },
      targets: { data: Float32Array.of(70, 80, 30, 40), shape: [2, 2] },
    })
  })

  it('scales by what was measured on some rows', async () => {
    const data = await table()
    const scales = columnScales(data, { columns: ['x'], end: 5 })
    expect(scales).toEqual({ x: { mean: 20, std: Math.sqrt(200) } })
    const series = windows(data, { window: 1, columns: ['x'], target: ['x', 't'], scales })
    const { inputs, targets } = series.get(Int32Array.of(2)) as Samples
    expect([inputs, targets]).toEqual([
      { data: Float32Array.of(0), shape: [1, 1, 1] },
      { data: Float32Array.of(10 / Math.sqrt(200), 3), shape: [1, 2] },
    ])
  })

  it('are batches like any others', async () => {
    await tf.setBackend('cpu')
    const series = windows(await table(), { window: 4, target: 'x' })
    for (const { inputs, targets } of new DataLoader(subset(series, 0, 5), { batchSize: 5 })) {
      expect([inputs.shape, targets.shape]).toEqual([
        [5, 4, 2],
        [5, 1],
      ])
    }
  })

  it.each<[object, string, RegExp]>([
    [{ window: 0, target: 'x' }, 'LOADER_OPTION', /window is 0/],
    [{ window: 3, target: 'y' }, 'LOADER_OPTION', /has no column 'y', expected one of t, x/],
    [{ window: 3, target: 'x', columns: ['y'] }, 'LOADER_OPTION', /has no column 'y'/],
    [{ window: 3 }, 'LOADER_OPTION', /target is undefined, expected one of t, x/],
    [{ window: 10, target: 'x' }, 'DATASET_INVALID', /has 10 rows, a window of 10 and a horizon of 1 need 11/],
    [
      { window: 3, target: 'x', scales: { x: { mean: 0, std: 0 } } },
      'LOADER_OPTION',
      /scale of x has mean 0 and std 0/,
    ],
    [{ window: 3, target: 'x', stride: 2 }, 'LOADER_OPTION', /no option 'stride'/],
  ])('refuse %j', async (options, expected, message) => {
    const data = await table()
    expect(() => windows(data, options as never)).toThrow(code(expected, message))
  })

  it('of a column whose numbers are all alike are divided by 1', async () => {
    const flat = await readCSV(['a\n1\n1\n'])
    expect(columnScales(flat)).toEqual({ a: { mean: 1, std: 1 } })
    const rounded = await readCSV(['a\n0.1\n0.1\n0.1\n0.2\n']) // their mean is not 0.1, by the last bit
    expect(columnScales(rounded, { end: 3 })).toEqual({ a: { mean: 0.1, std: 1 } })
    expect(() => columnScales(flat, { end: 3 })).toThrow(code('LOADER_OPTION', /rows 0 … 3 of 2/))
  })
})
