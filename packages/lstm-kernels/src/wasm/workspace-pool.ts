import type { LSTMShape } from '../engine'
import type { Arena } from './arena'
import { Workspace, type WorkspaceUse } from './workspace'

/** Unused workspaces that are kept: an epoch alternates between its batches, a short last one and an evaluation. */
const IDLE_LIMIT = 4

/** Hands out workspaces and takes them back, so that a training loop allocates nothing after its first steps. */
export class WorkspacePool {
  private idle: Workspace[] = [] // least recently used first

  constructor(private readonly arena: Arena) {}

  take(shape: LSTMShape, use: WorkspaceUse): Workspace {
    const { idle } = this
    for (let index = idle.length - 1; index >= 0; index--) {
      const workspace = idle[index]
      if (!workspace.fits(shape, use)) continue
      idle.splice(index, 1)
      return workspace
    }
    return new Workspace(this.arena, { ...shape, ...use })
  }

  giveBack(workspace: Workspace): void {
    this.idle.push(workspace)
    if (this.idle.length > IDLE_LIMIT) this.idle.shift()?.dispose()
  }
}
