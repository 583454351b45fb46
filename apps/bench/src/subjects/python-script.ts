import { fileURLToPath } from 'node:url'

/** A Python script for PyTorch. */
export const pythonScript = (name: string): string => fileURLToPath(new URL(`../peers/${name}.py`, import.meta.url))
