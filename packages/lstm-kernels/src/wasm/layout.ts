/** The next multiple of four, the lanes of a vector: what the kernels pad features to. */
export function ceil4(n: number): number {
  return 4 * Math.ceil(n / 4)
}

/** The next multiple of eight, the hidden units of a panel: what the kernels pad them to. */
export function ceil8(n: number): number {
  return 8 * Math.ceil(n / 8)
}

/** Offsets in bytes for arrays of so many floats, each on a cache line of its own. */
export function layOut<Name extends string>(
  sizes: Record<Name, number>,
): { addresses: Record<Name, number>; bytes: number } {
  let bytes = 0
  const addresses = {} as Record<Name, number>
  for (const name of Object.keys(sizes) as Name[]) {
    addresses[name] = bytes
    bytes += Math.ceil((4 * sizes[name]) / 64) * 64
  }
  return { addresses, bytes }
}
