// What a run of `npm run bench -- ipvs` says: on the terminal, and in bench/ipvs/report.md.
import { cpus, loadavg, release, totalmem } from 'node:os'
import { ratioOf, rounded, spreadOf } from '../statistics.ts'

/** Milliseconds, run by run. */
export interface Measured {
  readonly programPeerMs: readonly number[]
  readonly programOursMs: readonly number[]
  readonly applyOursMs: readonly number[]
  readonly observePeerMs: readonly number[]
  readonly observeFirstMs: readonly number[]
  readonly observeOursMs: readonly number[]
  /** On the machine, not in the guest. */
  readonly planMs: readonly number[]
  readonly rssMb: number
  /** Kernel and processors of the guest. */
  readonly guest: string
}

export const resultOf = (measured: Measured, runs: number) => ({
  programRatio: rounded(ratioOf(measured.programPeerMs, measured.programOursMs)),
  applyRatio: rounded(ratioOf(measured.programPeerMs, measured.applyOursMs)),
  observeRatio: rounded(ratioOf(measured.observePeerMs, measured.observeOursMs)),
  planMs: rounded(spreadOf(measured.planMs).median),
  agentRssMb: rounded(measured.rssMb),
  runs,
})

const cell = (values: readonly number[]): string => {
  const { median, min, max } = spreadOf(values)
  return `${Math.round(median)} (${Math.round(min)} to ${Math.round(max)})`
}

/** A line of the table: what, median and spread, and how many times as fast as the peer. */
function lines(measured: Measured, runs: number): string[][] {
  const { programRatio, applyRatio, observeRatio } = resultOf(measured, runs)
  return [
    ['programming: `ipvsadm -R`', cell(measured.programPeerMs), ''],
    ['programming: the agent, its steps', cell(measured.programOursMs), String(programRatio)],
    ['a whole apply: plan, journal, steps, look', cell(measured.applyOursMs), String(applyRatio)],
    ['observing: `ipvsadm -Ln`, parsed', cell(measured.observePeerMs), ''],
    ['observing: the agent, its first look', cell(measured.observeFirstMs), ''],
    ['observing: the agent, any later look', cell(measured.observeOursMs), String(observeRatio)],
    ['planning, on the machine itself', cell(measured.planMs), ''],
  ]
}

export function reportText(measured: Measured, runs: number, startedAt: Date): string {
  const [cpu] = cpus()
  const load = loadavg().map(rounded).join(' ')
  return [
    '# Speed of IPVS through the agent',
    '',
    `Written by \`npm run bench -- ipvs\` on ${startedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC: ${runs} runs, in turn.`,
    `${cpu?.model.trim()} (${cpus().length} CPUs), ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${/^[\d.]+/.exec(release())?.[0]}. Load when it ended: ${load}.`,
    `Guest under software emulation: ${measured.guest} processors.`,
    '',
    '1,000 services with 10 real servers each, every run of each way in a fresh network namespace, by a process that has done',
    'it before, as a daemon has. Milliseconds: median (smallest to largest). Ratios are medians of the runs, each against',
    'ipvsadm in the same run.',
    '',
    '|  | ms | times as fast |',
    '| --- | --- | --- |',
    ...lines(measured, runs).map((cells) => `| ${cells.join(' | ')} |`),
    '',
    `Anonymous memory of the installed agent that runs with this cluster, the most in 24 s: ${rounded(measured.rssMb)} MB.`,
    '',
  ].join('\n')
}
