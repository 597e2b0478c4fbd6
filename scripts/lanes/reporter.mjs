// Vitest's own reporters do not keep the reason of a skip; this one writes counts, skips and errors of a lane to the
// file named by SIGNALBOX_LANE_REPORT.
import fs from 'node:fs'

export default class LaneReporter {
  /**
   * @param {ReadonlyArray<import('vitest/node').TestModule>} modules
   * @param {ReadonlyArray<import('vitest/node').SerializedError>} unhandled
   */
  onTestRunEnd(modules, unhandled) {
    const file = process.env['SIGNALBOX_LANE_REPORT']
    if (file === undefined) return
    /** @type {import('./counts.mjs').LaneReport} */
    const report = { counts: { passed: 0, failed: 0, skipped: 0 }, skips: [], errors: [] }
    for (const module of modules) {
      for (const error of module.errors()) report.errors.push(`${module.relativeModuleId}: ${error.message}`)
      for (const suite of module.children.allSuites()) {
        for (const error of suite.errors()) report.errors.push(`${suite.fullName}: ${error.message}`)
      }
      for (const test of module.children.allTests()) {
        const result = test.result()
        if (result.state === 'passed') report.counts.passed += 1
        else if (result.state === 'failed') report.counts.failed += 1
        else {
          // Skipped, or pending because the run was cut short: neither has passed.
          report.counts.skipped += 1
          report.skips.push({
            name: `${module.relativeModuleId} > ${test.fullName}`,
            reason: result.state === 'skipped' ? result.note : undefined,
          })
        }
      }
    }
    for (const error of unhandled) report.errors.push(String(error.message))
    fs.writeFileSync(file, JSON.stringify(report))
  }
}
