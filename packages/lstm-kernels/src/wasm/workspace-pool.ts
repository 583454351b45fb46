import type { Arena } from './arena'
import { Workspace, type WorkspaceShape } from './workspace'

/** Unused workspaces that are kept: an epoch alternates between its batches, a short last one and an evaluation. */
const IDLE_LIMIT = 4

/** Hands out workspaces and takes them back, so that a training loop allocates nothing after its first steps. */
export class WorkspacePool {
  private idle: Workspace[] = [] // least recently used first

  constructor(private readonly arena: Arena) {}

  take(shape: WorkspaceShape): Workspace {
    const index = this.idle.findLastIndex((workspace) => workspace.fits(shape))
    if (index >= 0) return this.idle.splice(index, 1)[0]
    return new Workspace(this.arena, shape)
  }

  giveBack(workspace: Workspace): void {
    this.idle.push(workspace)
    if (this.idle.length > IDLE_LIMIT) this.idle.shift()?.dispose()
  }
}
