// Adding up what ran. Nothing is silent: a skip without a reason is a failure, and so is a lane in which nothing ran.

/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 *
 * @typedef {object} LaneReport what the reporter of a lane writes down
 * @property {Counts} counts
 * @property {{ name: string, reason: string | undefined }[]} skips
 * @property {string[]} errors errors outside of tests: files that do not load, unhandled rejections
 *
 * @typedef {object} LaneResult
 * @property {string} lane
 * @property {Counts} counts
 * @property {string[]} notes why something was skipped or counted as failed
 */

/** @returns {Counts} */
export const none = () => ({ passed: 0, failed: 0, skipped: 0 })

/**
 * @param {readonly Counts[]} parts
 * @returns {Counts}
 */
export function sum(parts) {
  const total = none()
  for (const part of parts) {
    total.passed += part.passed
    total.failed += part.failed
    total.skipped += part.skipped
  }
  return total
}

/** @param {Counts} counts */
export const formatCounts = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`

/**
 * The result of a lane that ran.
 * @param {string} lane
 * @param {LaneReport | undefined} report undefined when the test runner died before it wrote one
 * @param {number} exitCode of the test runner
 * @param {boolean} [isFiltered] only some files were asked for, so that a lane without any of them is no failure
 * @returns {LaneResult}
 */
export function judgeLane(lane, report, exitCode, isFiltered = false) {
  if (report === undefined) {
    return {
      lane,
      counts: { passed: 0, failed: 1, skipped: 0 },
      notes: [`the test runner ended with ${exitCode} and left no report`],
    }
  }
  const counts = { ...report.counts }
  /** @type {string[]} */
  const notes = []
  for (const { name, reason } of report.skips) {
    if (reason !== undefined && reason.trim() !== '') {
      notes.push(`skipped: ${name}: ${reason}`)
    } else {
      counts.skipped -= 1
      counts.failed += 1
      notes.push(`failed: ${name} is skipped without a reason; skip inside the test by context.skip('why')`)
    }
  }
  for (const error of report.errors) {
    counts.failed += 1
    notes.push(`failed outside of a test: ${error}`)
  }
  if (counts.passed + counts.failed + counts.skipped === 0) {
    if (isFiltered) return { lane, counts, notes: ['no test file of this lane was asked for'] }
    counts.failed = 1
    notes.push(`failed: no test was found in test/${lane}`)
  } else if (exitCode !== 0 && counts.failed === 0) {
    counts.failed = 1
    notes.push(`failed: the test runner ended with ${exitCode} although no test failed`)
  }
  return { lane, counts, notes }
}

/**
 * A lane that cannot run on this machine counts as one skip.
 * @param {string} lane
 * @param {string} reason
 * @returns {LaneResult}
 */
export const skippedLane = (lane, reason) => ({
  lane,
  counts: { passed: 0, failed: 0, skipped: 1 },
  notes: [`skipped: the whole lane: ${reason}`],
})

/**
 * A lane that could not even start (its build failed) counts as one failure.
 * @param {string} lane
 * @param {string} reason
 * @returns {LaneResult}
 */
export const failedLane = (lane, reason) => ({
  lane,
  counts: { passed: 0, failed: 1, skipped: 0 },
  notes: [`failed: ${reason}`],
})
