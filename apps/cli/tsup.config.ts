import { defineConfig } from 'tsup'
import { program } from '../../tsup.preset'

// Processes of a sweep run the jobs' files.
const entry = { rowwise: 'src/rowwise.ts', jobs: 'src/sweep/jobs.ts', 'user-jobs': 'src/sweep/user-jobs.ts' }

// Code splitting keeps TensorFlow.js out of what `rowwise --help` loads.
export default defineConfig({ ...program({ entry }), splitting: true })
