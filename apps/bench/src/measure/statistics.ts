/** The middle value; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Median absolute deviation from the median. */
export function medianDeviation(values: readonly number[]): number {
  const middle = median(values)
  return median(values.map((value) => Math.abs(value - middle)))
}

/** How far a median of rounds is off, as a share of it: the standard error, taken from their deviation. */
export function noiseOf(rounds: readonly number[]): number {
  // 1.4826 makes a median deviation a standard deviation, 1.2533 is what a median's error has over a mean's (normal distribution).
  return (1.4826 * 1.2533 * medianDeviation(rounds)) / median(rounds) / Math.sqrt(Math.max(1, rounds.length))
}

/** The exponent of growth: the slope of log time over log size. */
export function exponentOf(points: readonly { size: number; ms: number }[]): number {
  const logs = points.map(({ size, ms }) => [Math.log(size), Math.log(ms)])
  const mean = (axis: number): number => logs.reduce((sum, point) => sum + point[axis], 0) / logs.length
  const [meanX, meanY] = [mean(0), mean(1)]
  const covariance = logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  return covariance / logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
}
