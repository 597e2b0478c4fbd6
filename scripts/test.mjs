// `npm test`: sets up, builds what the lanes need, runs them in order, and adds up. The last line of stdout is
// `N passed, N failed, N skipped`; the exit code is 1 when something failed.
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bootstrap } from './bootstrap.mjs'
import { parseTestArguments } from './lanes/arguments.mjs'
import { failedLane, formatCounts, skippedLane, sum } from './lanes/counts.mjs'
import { inspectMachine, lanes } from './lanes/lanes.mjs'
import { runLane } from './lanes/run-lane.mjs'
import { runEntry } from './setup/log.mjs'
import { node24Path } from './setup/node24.mjs'
import { inRoot } from './setup/paths.mjs'
import { holdSignals, run, throwIfSignalled } from './setup/run.mjs'

const args = process.argv.slice(2)

await runEntry(async () => {
  const asked = parseTestArguments(
    args,
    lanes.map((lane) => lane.name),
  )
  const needsMachine = asked.lanes.some((lane) => lane !== 'unit' && lane !== 'contract')
  const code = await bootstrap(fileURLToPath(import.meta.url), args, {
    ...(needsMachine ? { purpose: /** @type {const} */ ('test') } : {}),
    // Tests run in automation as a rule: a question is asked only where somebody can answer it.
    isAgreed: asked.yes || !process.stdin.isTTY,
    goesOnWithout: true,
  })
  if (code !== undefined) return code
  const release = holdSignals()
  try {
    await sweepLab()
    return await runLanes(asked)
  } finally {
    await sweepLab()
    release()
  }
})

/**
 * @param {import('./lanes/arguments.mjs').TestArguments} asked
 * @returns {Promise<number>}
 */
async function runLanes(asked) {
  const machine = inspectMachine()
  /** @type {import('./lanes/counts.mjs').LaneResult[]} */
  const results = []
  for (const lane of lanes.filter(({ name }) => asked.lanes.includes(name))) {
    console.log(`\n── ${lane.name} ──`)
    const result = await attempt(lane, machine, asked)
    throwIfSignalled()
    results.push(result)
    for (const note of result.notes) console.log(`  ${note}`)
    console.log(`${lane.name}: ${formatCounts(result.counts)}`)
  }
  const total = sum(results.map((result) => result.counts))
  console.log('')
  if (asked.json) console.log(JSON.stringify({ ...total, lanes: results }))
  console.log(formatCounts(total))
  const ran = total.passed + total.failed + total.skipped
  return total.failed === 0 && ran > 0 ? 0 : 1
}

/**
 * @param {import('./lanes/lanes.mjs').Lane} lane
 * @param {import('./lanes/lanes.mjs').Machine} machine
 * @param {import('./lanes/arguments.mjs').TestArguments} asked
 * @returns {Promise<import('./lanes/counts.mjs').LaneResult>}
 */
async function attempt(lane, machine, asked) {
  const obstacle = lane.obstacle(machine)
  if (obstacle !== undefined) return skippedLane(lane.name, obstacle)
  try {
    const { build } = await import('./build/build.mjs')
    await build(lane.builds)
  } catch (error) {
    throwIfSignalled()
    return failedLane(lane.name, `the build before it: ${error instanceof Error ? error.message : String(error)}`)
  }
  throwIfSignalled()
  return runLane(lane.name, asked)
}

/** Removes what runs that died left of their labs (theirs only: an owner that lives keeps its lab). */
async function sweepLab() {
  const sweep = inRoot('test/lab/sweep.ts')
  if (fs.existsSync(sweep)) await run(node24Path(), [sweep], { stdio: ['ignore', 2, 2] })
}
