import { describe, expect, it } from 'vitest'
import { isRowwiseError, RowwiseError, refuseUnknownOptions } from '../src'

class OptionError extends RowwiseError {
  readonly code = 'OPTION'
}
const known = { lr: true, momentum: true } as const
const check = (options: unknown) =>
  refuseUnknownOptions('new SGD()', options as { lr?: number; momentum?: number }, known, OptionError)

describe('refuseUnknownOptions', () => {
  it('lets known options pass', () => {
    expect(() => check({ lr: 1 })).not.toThrow()
  })

  it('names an option that nobody reads, and those that are read', () => {
    expect(() => check({ lR: 1 })).toThrow("new SGD() has no option 'lR', expected some of lr, momentum")
  })

  it.each([
    [0.1, '0.1'],
    [null, 'null'],
    ['fast', '"fast"'],
    [[], 'an array'],
  ])('refuses %j in an object’s stead', (options, words) => {
    expect(() => check(options)).toThrow(`new SGD() got ${words} as its options`)
  })

  it('throws the package’s own error', () => {
    expect(isRowwiseError(new OptionError('x'))).toBe(true)
    expect(() => check({ x: 1 })).toThrow(OptionError)
  })
})
