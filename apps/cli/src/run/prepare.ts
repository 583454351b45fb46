import { type SelectedBackend, selectBackend } from '@rowwise/backend-select'
import { type LoadedMnist, loadMnist } from '@rowwise/data-mnist'
import type { CommonFlags, DataFlags } from '../options'
import { DownloadBar } from '../show/download-bar'

/** Starts the backend that the flags ask for. */
export function startBackend({ backend }: CommonFlags): Promise<SelectedBackend> {
  return selectBackend({ prefer: backend })
}

/** Loads the data set that the flags name; a download is shown where there is a terminal. */
export async function loadData({ data, variant, source }: DataFlags, signal?: AbortSignal): Promise<LoadedMnist> {
  const bar = new DownloadBar()
  try {
    return await loadMnist({ root: data, variant, source, signal, onProgress: (progress) => bar.show(progress) })
  } finally {
    bar.stop()
  }
}
