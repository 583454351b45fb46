import { defineConfig } from 'tsup'
import { program } from '../../tsup.preset'

// Code splitting keeps TensorFlow.js out of what `rowwise --help` loads.
export default defineConfig({ ...program({ entry: ['src/rowwise.ts'] }), splitting: true })
