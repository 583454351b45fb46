import type { RecurrentShape } from '../../runtime'
import type { Machine, WorkspaceUse } from './machine'
import { Workspace } from './workspace'

/** Lends workspaces and takes them back, so a training loop allocates nothing after its first steps. */
export class WorkspacePool {
  private idle: Workspace[] = [] // least recently used first
  private inUse = 0
  private mostInUse = 0

  constructor(private readonly machine: Machine) {}

  take(shape: RecurrentShape, use: WorkspaceUse): Workspace {
    const { idle } = this
    this.inUse += 1
    this.mostInUse = Math.max(this.mostInUse, this.inUse)
    for (let index = idle.length - 1; index >= 0; index--) {
      const workspace = idle[index]
      if (!workspace.fits(shape, use)) continue
      idle.splice(index, 1)
      return workspace
    }
    try {
      return new Workspace(this.machine, shape, use)
    } catch (error) {
      this.inUse -= 1
      throw error
    }
  }

  giveBack(workspace: Workspace): void {
    this.inUse -= 1
    this.idle.push(workspace)
    // An epoch alternates between its batches and a short last one, each with a workspace for every layer, and an evaluation.
    while (this.idle.length > 2 * this.mostInUse + 2) this.idle.shift()?.dispose()
  }
}
