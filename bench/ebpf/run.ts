// `npm run bench -- ebpf [--json] [--katran DIR] [--runs N]`: what a packet costs, by test runs, beside Katran where a
// directory with its object is given; what goes through network namespaces, beside others. Writes report.md.
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { spreadOf } from '../statistics.ts'
import { measureEndToEnd } from './end-to-end/measure.ts'
import { columnOf, endToEndFigures, katranRatio, nsPerPacket } from './figures.ts'
import { isInsertLimited, katranObjects, loadKatran } from './katran.ts'
import { comparedMode, loadMode, modes } from './ours.ts'
import { reportText } from './report.ts'
import { measure, type Series } from './test-runs.ts'

/** Ends the run: what was asked for cannot be had. */
function refuse(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(2)
}

function options() {
  try {
    const { values } = parseArgs({
      options: {
        json: { type: 'boolean', default: false },
        katran: { type: 'string' },
        runs: { type: 'string', default: '9' },
      },
    })
    const runs = Number(values.runs)
    if (!Number.isInteger(runs) || runs < 1) {
      refuse(`--runs: found ${JSON.stringify(values.runs)}, expected a whole number from 1.`)
    }
    return { json: values.json, runs, theirs: values.katran === undefined ? [] : katranObjects(values.katran) }
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error))
  }
}

const { json, runs, theirs } = options()
if (process.getuid?.() !== 0) refuse('Test runs of the kernel need root.')

const say = (line: string): void => void process.stderr.write(`${line}\n`)
const startedAt = new Date()
const skipped: string[] = []

function testRuns(): readonly Series[] {
  if (theirs.length === 0) skipped.push('Katran: no directory with its object was given (`--katran DIR`).')
  else if (theirs.every(isInsertLimited)) {
    skipped.push('New flows against Katran: no object without its insert limit is in the directory.')
  }
  if (!modes.some((mode) => mode.key === comparedMode))
    skipped.push('Ratios to Katran: there is no TUN to compare yet.')
  const loaded = [...modes.map((mode) => loadMode(mode)), ...theirs.map(loadKatran)]
  try {
    return measure(loaded, runs, say)
  } finally {
    for (const each of loaded) each.close()
  }
}

const series = testRuns()
for (const one of series) {
  const { median, min, max } = spreadOf(one.ns)
  say(`${columnOf(one).padEnd(18)} ${one.traffic.title.padEnd(18)} ${String(median).padStart(5)} ns [${min} to ${max}]`)
}
const ratios = katranRatio(series)
const { rates, skipped: absent } = await measureEndToEnd(runs, say)
skipped.push(...absent)
const endToEnd = endToEndFigures(rates)
writeFileSync(
  resolve(import.meta.dirname, 'report.md'),
  reportText({ startedAt, runs, series, katranRatio: ratios, rates, skipped }),
)
for (const [key, { connections, requests }] of Object.entries(endToEnd)) {
  const of = (one: typeof connections): string =>
    `${one.perSecond}/s (${one.ofRouting} of routing, by CPU ${one.ofRoutingByCpu})`
  say(`${key.padEnd(18)} connections ${of(connections)}, requests ${of(requests)}`)
}
for (const line of skipped) say(`Not measured: ${line}`)
if (ratios !== null) say(`TUN over IPv4 / Katran: ${JSON.stringify(ratios)}`)
if (json) {
  process.stdout.write(
    `${JSON.stringify({ nsPerPacket: nsPerPacket(series), katranRatio: ratios, endToEnd, runs, skipped })}\n`,
  )
}
