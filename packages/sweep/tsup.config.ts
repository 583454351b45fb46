import { defineConfig } from 'tsup'
import { library } from '../../tsup.preset'

// The processes of the pool run child.js, which is a module of its own.
export default defineConfig(
  library({
    entry: { index: 'src/index.ts', redis: 'src/redis.ts', child: 'src/engines/child.ts' },
    platform: 'node',
    external: ['bullmq', 'ioredis', 's3mini', 'tinypool'],
  }),
)
