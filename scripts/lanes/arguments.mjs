// The arguments of `npm test`.
import { parseArgs } from 'node:util'
import { SetupError } from '../setup/log.mjs'

/**
 * @typedef {object} TestArguments
 * @property {string[]} lanes in the order of `known`; all without --lane
 * @property {boolean} json one machine-readable line before the last
 * @property {boolean} long larger sweeps (SIGNALBOX_LONG=1)
 * @property {boolean} yes install missing Debian packages without a question
 * @property {string[]} filters passed to vitest: parts of file names
 */

/**
 * @param {readonly string[]} args
 * @param {readonly string[]} known names of the lanes
 * @returns {TestArguments}
 */
export function parseTestArguments(args, known) {
  let parsed
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        lane: { type: 'string', multiple: true },
        json: { type: 'boolean', default: false },
        long: { type: 'boolean', default: false },
        yes: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw new SetupError(`${/** @type {Error} */ (error).message}\n${usage(known)}`, 2)
  }
  const asked = parsed.values.lane ?? []
  for (const lane of asked) {
    if (!known.includes(lane))
      throw new SetupError(`--lane ${lane}: there is no such lane; expected ${known.join(', ')}.`, 2)
  }
  return {
    lanes: known.filter((lane) => asked.length === 0 || asked.includes(lane)),
    json: parsed.values.json,
    long: parsed.values.long,
    yes: parsed.values.yes,
    filters: parsed.positionals,
  }
}

/** @param {readonly string[]} known */
const usage = (known) =>
  `Usage: npm test -- [--lane ${known.join('|')}]… [--long] [--json] [--yes] [part of a file name]…`
