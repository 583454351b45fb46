import { defineConfig } from 'vite'

// Relative addresses, so that any file server may serve it from any directory.
export default defineConfig({ base: './' })
