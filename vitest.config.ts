import { createRequire } from 'node:module'
import { defineConfig } from 'vitest/config'

const require = createRequire(new URL('./packages/train-loop/package.json', import.meta.url))

export default defineConfig({
  resolve: {
    // Node loads tfjs-core's CommonJS build, and so do the backends; tests must see that same copy.
    alias: [{ find: /^@tensorflow\/tfjs-core$/, replacement: require.resolve('@tensorflow/tfjs-core') }],
  },
  test: {
    pool: 'forks',
    maxWorkers: '100%', // vitest's default leaves one core idle
    include: ['{packages,apps,internal,tests}/*/test/**/*.test.ts', 'scripts/**/*.test.ts'],
    exclude: process.env.ROWWISE_RELEASE ? [] : ['tests/{release,hosts}/**', '**/node_modules/**'],
    globalSetup: ['./scripts/temporary-directory.ts'],
    setupFiles: ['./scripts/fixed-seed.ts'],
    maxConcurrency: 2, // of tests that start programs
    // Those of a release install packages and start other programs.
    testTimeout: process.env.ROWWISE_RELEASE ? 300_000 : 30_000,
    hookTimeout: process.env.ROWWISE_RELEASE ? 300_000 : 60_000,
    reporters: ['default', './scripts/test-count-reporter.mjs'],
  },
})
