// The report that a run leaves in bench/ebpf/report.md.
import { execFileSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { rounded, spreadOf } from '../statistics.ts'
import { loads, loadNames, type Rates } from './end-to-end/measure.ts'
import { columnOf, endToEndFigures } from './figures.ts'
import type { Series } from './test-runs.ts'

export interface ReportInput {
  readonly startedAt: Date
  readonly runs: number
  readonly series: readonly Series[]
  readonly katranRatio: Readonly<Record<string, number>> | null
  readonly rates: readonly Rates[]
  readonly skipped: readonly string[]
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

export function machine(): string {
  const [cpu] = cpus()
  const clang = execFileSync('clang', ['--version'], { encoding: 'utf8' }).split('\n')[0]
  return `${cpu?.model.trim()} (${cpus().length} CPUs), ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${/^[\d.]+/.exec(release())?.[0]}, ${clang}`
}

const cell = (values: readonly number[]): string => {
  const { median, min, max } = spreadOf(values)
  return `${Math.round(median)} (${Math.round(min)} to ${Math.round(max)})`
}

function nsTable(series: readonly Series[]): string {
  const traffics = [...new Map(series.map(({ traffic }) => [traffic.key, traffic.title]))]
  const columns = [...new Map(series.map((one) => [columnOf(one), `${one.target.title}, ${one.target.hook}`]))]
  const rows = columns.map(([column, title]) => [
    title,
    ...traffics.map(([key]) => {
      const found = series.find((one) => columnOf(one) === column && one.traffic.key === key)
      return found === undefined ? '–' : cell(found.ns)
    }),
  ])
  return table(['', ...traffics.map(([, title]) => title)], rows)
}

function endToEndTable(rates: readonly Rates[]): string {
  const figures = endToEndFigures(rates)
  const rows = rates.map(({ way, perSecond }) => [
    way.title,
    ...loadNames.flatMap((load) => {
      const { ofRouting, ofRoutingByCpu } = figures[way.key]?.[load] ?? {}
      return [cell(perSecond[load]), `${ofRouting}, ${ofRoutingByCpu}`]
    }),
  ])
  return table(['', ...loadNames.flatMap((load) => [loads[load].title, 'of routing: by time, by CPU'])], rows)
}

export function reportText({ startedAt, runs, series, katranRatio, rates, skipped }: ReportInput): string {
  const load = loadavg().map(rounded).join(' ')
  return [
    '# Speed of the eBPF dataplane',
    '',
    `Written by \`npm run bench -- ebpf\` on ${startedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC: ${runs} runs, in turn.`,
    `${machine()}. Load when it ended: ${load}.`,
    '',
    '## Nanoseconds per packet',
    'Test runs net of the harness: median (smallest to largest). Flows come in an order that is not the one in which they',
    'were opened. Our cap of new flows and, where it says so, the other one’s are lifted; each table has room for a million.',
    '',
    nsTable(series),
    '',
    ...(katranRatio === null
      ? []
      : [
          'TUN over IPv4 against Katran, round by round (less than 1: ours is faster):',
          '',
          table(Object.keys(katranRatio), [Object.values(katranRatio).map(String)]),
          '',
        ]),
    '## Through network namespaces',
    'One client, one server (nginx, two bytes), a director of its own for each way, all on the same CPUs; wrk with 32',
    'connections. Parts of routing are medians of the runs, each against the routing of the same run: by the clock, and by',
    'the CPU time of client, server and director together, which other work on the machine hardly changes.',
    '',
    endToEndTable(rates),
    '',
    ...(skipped.length === 0 ? [] : ['## Not measured', ...skipped.map((line) => `- ${line}`), '']),
  ].join('\n')
}
