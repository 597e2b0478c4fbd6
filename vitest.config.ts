import { defineConfig } from 'vitest/config'

/** Minutes, for the lanes that start real hosts, agents and browsers on a machine that may be busy. */
const minutes = (n: number): number => n * 60_000

/** Lanes without a kernel, a host or a browser: files run side by side. */
const pureLane = (name: string) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.{ts,tsx}`], testTimeout: 20_000, hookTimeout: 20_000 },
})

/** Lanes that share one kernel: files run one after the other, in processes of their own. */
const kernelLane = (name: string, testTimeout: number) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.{ts,tsx}`],
    pool: 'forks' as const,
    fileParallelism: false,
    testTimeout,
    hookTimeout: Math.max(testTimeout, minutes(3)),
    teardownTimeout: minutes(1),
  },
})

const whole = kernelLane('e2e', minutes(5))
const e2eLane = { ...whole, test: { ...whole.test, exclude: ['test/e2e/states-*.test.ts'] } }

export default defineConfig({
  cacheDir: '.cache/vitest',
  test: {
    environment: 'node',
    watch: false,
    maxWorkers: 2,
    projects: [
      pureLane('unit'),
      pureLane('contract'),
      kernelLane('packet', minutes(1)),
      kernelLane('netns', minutes(3)),
      kernelLane('guest', minutes(5)),
      e2eLane,
      // The page on a console without hosts behind it: nothing is shared, so two files run at a time.
      {
        extends: true as const,
        test: {
          name: 'e2e-states',
          include: ['test/e2e/states-*.test.ts'],
          pool: 'forks' as const,
          testTimeout: minutes(5),
          hookTimeout: minutes(3),
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
