/**
 * Puts back what tfjs-node calls and Node 23 took away. Also sent to a child process as source text, so it must not refer
 * to anything outside itself.
 */
export function utilRepair(util: { isNullOrUndefined?: (value: unknown) => boolean }): void {
  util.isNullOrUndefined ??= (value) => value === null || value === undefined
}
