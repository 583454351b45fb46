/** The value that a share of the others lie below (Hoare 1961: FIND). */
export function quantile(values: ArrayLike<number>, share: number): number {
  const rest = Float32Array.from(values)
  const goal = Math.min(rest.length - 1, Math.floor(share * rest.length))
  let [first, last] = [0, rest.length - 1]
  while (first < last) {
    const pivot = rest[(first + last) >> 1]
    let [low, high] = [first, last]
    while (low <= high) {
      while (rest[low] < pivot) low += 1
      while (rest[high] > pivot) high -= 1
      if (low > high) break
      const value = rest[low]
      rest[low++] = rest[high]
      rest[high--] = value
    }
    if (goal <= high) last = high
    else if (goal >= low) first = low
    else break
  }
  return rest[goal]
}
