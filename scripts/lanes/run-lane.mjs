// One lane: vitest in a process group of its own, so that nothing of it is left when it ends, in whichever way.
import fs from 'node:fs'
import path from 'node:path'
import { cacheDir, inRoot, root } from '../setup/paths.mjs'
import { node24Env, node24Path } from '../setup/node24.mjs'
import { run } from '../setup/run.mjs'
import { judgeLane } from './counts.mjs'

/**
 * @param {string} lane
 * @param {{ long: boolean, filters: readonly string[] }} options
 * @returns {Promise<import('./counts.mjs').LaneResult>}
 */
export async function runLane(lane, { long, filters }) {
  fs.mkdirSync(cacheDir, { recursive: true })
  const reportFile = path.join(cacheDir, `lane-${lane}.${process.pid}.json`)
  try {
    const exitCode = await run(
      node24Path(),
      [
        inRoot('node_modules/vitest/vitest.mjs'),
        'run',
        '--project',
        // A lane may be several projects of vitest, as `e2e` and `e2e-states` are.
        `${lane}*`,
        '--reporter=default',
        `--reporter=${inRoot('scripts/lanes/reporter.mjs')}`,
        ...filters,
      ],
      {
        cwd: root,
        env: {
          ...node24Env(),
          SIGNALBOX_LANE_REPORT: reportFile,
          ...(process.stdout.isTTY ? {} : { NO_COLOR: '1' }),
          ...(long ? { SIGNALBOX_LONG: '1' } : {}),
        },
        stdio: ['ignore', 'inherit', 'inherit'],
        ownGroup: true,
        diesWithUs: true,
      },
    )
    return judgeLane(lane, readReport(reportFile), exitCode, filters.length > 0)
  } finally {
    fs.rmSync(reportFile, { force: true })
  }
}

/**
 * @param {string} file
 * @returns {import('./counts.mjs').LaneReport | undefined}
 */
function readReport(file) {
  if (!fs.existsSync(file)) return undefined
  return JSON.parse(fs.readFileSync(file, 'utf8'))
}
