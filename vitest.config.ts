import { createRequire } from 'node:module'
import { defineConfig } from 'vitest/config'

const require = createRequire(new URL('./packages/train-loop/package.json', import.meta.url))

// Node 20 has relaxed SIMD behind this flag; later versions have it by default and do not know the flag.
const needsRelaxedSimdFlag = Number(process.versions.node.split('.')[0]) < 22

export default defineConfig({
  resolve: {
    // Node loads tfjs-core's CommonJS build, and so do the backends; tests must see that same copy.
    alias: [{ find: /^@tensorflow\/tfjs-core$/, replacement: require.resolve('@tensorflow/tfjs-core') }],
  },
  test: {
    pool: 'forks',
    execArgv: needsRelaxedSimdFlag ? ['--experimental-wasm-relaxed-simd'] : [],
    include: ['{packages,apps,internal,tests}/*/test/**/*.test.ts', 'scripts/**/*.test.ts'],
    exclude: process.env.ROWWISE_RELEASE ? [] : ['tests/release/**', '**/node_modules/**'],
    setupFiles: ['./scripts/fixed-seed.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: ['default', './scripts/test-count-reporter.mjs'],
  },
})
