import { type SelectedBackend, selectBackend } from '@rowwise/backend-select'
import { type LoadedMnist, loadMnist } from '@rowwise/data-mnist'
import type { CommonFlags, DataFlags } from '../options'

/** Starts the backend that the flags ask for. */
export function startBackend({ backend }: CommonFlags): Promise<SelectedBackend> {
  return selectBackend({ prefer: backend })
}

/** Loads the data set that the flags name. */
export function loadData({ data, variant }: DataFlags): Promise<LoadedMnist> {
  return loadMnist({ root: data, variant })
}
