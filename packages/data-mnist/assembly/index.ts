/**
 * Writes the entries of a table of 256 floats for `count` bytes, eight at a time: up to seven more are read and written. Addresses in bytes.
 */
export function lookUp(bytes: usize, table: usize, to: usize, count: i32): void {
  const end = bytes + <usize>count
  for (; bytes < end; bytes += 8, to += 32) {
    const eight = load<u64>(bytes)
    const low = <u32>eight
    const high = <u32>(eight >> 32)
    store<f32>(to, entry(table, low), 0)
    store<f32>(to, entry(table, low >> 8), 4)
    store<f32>(to, entry(table, low >> 16), 8)
    store<f32>(to, entry(table, low >> 24), 12)
    store<f32>(to, entry(table, high), 16)
    store<f32>(to, entry(table, high >> 8), 20)
    store<f32>(to, entry(table, high >> 16), 24)
    store<f32>(to, entry(table, high >> 24), 28)
  }
}

// @ts-ignore: decorator
@inline
function entry(table: usize, byte: u32): f32 {
  return load<f32>(table + ((byte & 255) << 2))
}
