import { type SelectedBackend, selectBackend } from '@rowwise/backend-select'
import { type LoadedMnist, loadMnist } from '@rowwise/data-mnist'
import { UsageError } from '../exit'
import type { CommonFlags, DataFlags } from '../options'
import { DownloadBar } from '../show/download-bar'
import { requireOneSource } from './settings'

/** Starts the backend that the flags ask for. One that was asked for by its name and does not run is refused. */
export async function startBackend({ backend }: CommonFlags): Promise<SelectedBackend> {
  const selected = await selectBackend({ prefer: backend })
  if (backend === undefined || backend === 'auto' || backend === selected.name) return selected
  const found = selected.tried.find(({ name }) => name === backend)
  throw new UsageError(
    `--backend ${backend} does not run here: ${found?.reason} Fix: ${found?.fix}; or leave out --backend, and ${selected.name} runs`,
  )
}

let last: { key: string; loaded: Promise<LoadedMnist> } | null = null

/**
 * Loads the data set that the flags name; a download is shown where there is a terminal. The last one is kept: the trials of a sweep
 * share theirs.
 */
export function loadData({ data, variant, source, classNames }: DataFlags, signal?: AbortSignal): Promise<LoadedMnist> {
  requireOneSource({ data, source })
  const key = JSON.stringify([data, variant, source, classNames])
  if (last?.key !== key) {
    const loaded = load({ data, variant, source, classNames }, signal)
    last = { key, loaded }
    loaded.catch(() => {
      last = null
    })
  }
  return last.loaded
}

async function load({ data, variant, source, classNames }: DataFlags, signal?: AbortSignal): Promise<LoadedMnist> {
  const bar = new DownloadBar()
  try {
    const options = { root: data, variant, source, classNames, signal }
    return await loadMnist({ ...options, onProgress: (progress) => bar.show(progress) })
  } finally {
    bar.stop()
  }
}
