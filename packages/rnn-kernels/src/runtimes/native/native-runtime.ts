import { CompiledRuntime, type ThreadNotes } from '../compiled/compiled-runtime'
import type { KernelClock } from '../compiled/machine'
import { findAddon } from './find-addon'
import { NativeMachine } from './native-machine'

/**
 * The kernels as native code; or why there is none here.
 *
 * @param instructions one of the addon's instruction sets; the best that the processor has when absent
 */
export function nativeRuntime(
  threads: number,
  notes: ThreadNotes,
  instructions?: string,
): CompiledRuntime | string | null {
  const found = findAddon()
  if ('reason' in found) return found.reason
  const { addon } = found
  const machine = instructions === undefined ? found.machine : addon.machines.indexOf(instructions)
  if (machine < 0) return `this processor does not run ${instructions}`
  const make = (clock: KernelClock) => new NativeMachine(addon, machine, threads, notes, clock)
  return new CompiledRuntime('native', threads, make, addon.machines[machine])
}
