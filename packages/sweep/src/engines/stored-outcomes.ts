import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf } from '@rowwise/errors'
import { decodeOutcome, isKey, type Outcome } from '../engine'
import { JobRefusedError, SweepNotFoundError } from '../errors'
import { copyDirectory } from '../files/directory'

/** What decides the outcomes, as it was given at first. */
export const DEFINITION = 'definition.json'

/** A file per outcome. */
export const OUTCOMES = 'outcomes'

/** A directory per job with what it left. */
export const FILES = 'files'

/** What a directory of {@link localEngine} holds. */
export interface StoredOutcomes {
  /** Of the sweep or of other jobs. */
  definition: unknown
  /** Those that came so far. */
  outcomes: Outcome[]
}

/**
 * The outcomes that a directory holds, without taking it: a sweep may be running there.
 *
 * @throws {@link SweepNotFoundError} when it holds none of ours, or its definition is damaged.
 */
export async function readOutcomes(directory: string): Promise<StoredOutcomes> {
  const definitionFile = join(directory, DEFINITION)
  const text = await readFile(definitionFile, 'utf8').catch((cause) => {
    throw new SweepNotFoundError(`${directory} holds no sweep: ${reasonOf(cause)}; pass the directory of one`, {
      cause,
    })
  })
  const outcomes: Outcome[] = []
  for (const key of await keysIn(join(directory, OUTCOMES))) {
    const file = join(directory, OUTCOMES, `${key}.json`)
    outcomes.push(decodeOutcome(await readFile(file, 'utf8'), file))
  }
  return { definition: decodeDefinition(text, definitionFile), outcomes }
}

function decodeDefinition(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const fix = 'restore the file, or pass the directory of another sweep'
    throw new SweepNotFoundError(`${file} is no sweep's definition: ${reasonOf(cause)}; ${fix}`, { cause })
  }
}

/** Fills a directory with what a job left, without taking the sweep's; whether it left something. */
export async function fetchLocalFiles(directory: string, key: string, into: string): Promise<boolean> {
  if (!isKey(key)) throw new JobRefusedError(`a job is called ${JSON.stringify(key)}, which is no name`)
  return copyDirectory(join(directory, FILES, key), into)
}

/** The keys of the outcomes in a directory. */
export async function keysIn(directory: string): Promise<string[]> {
  const names = await readdir(directory)
  return names.filter((name) => name.endsWith('.json') && isKey(name.slice(0, -5))).map((name) => name.slice(0, -5))
}

/** Removes the outcomes of jobs that failed. */
export async function forgetFailed(directory: string): Promise<void> {
  const { outcomes } = await readOutcomes(directory)
  for (const { key, status } of outcomes) {
    if (status === 'failed') await rm(join(directory, OUTCOMES, `${key}.json`))
  }
}
