/**
 * Client that keeps trying one address: `steady-client.mjs ADDRESS PORT INTERVAL_MS TIMEOUT_MS`. Each attempt is a new
 * connection. Answers each line on standard input with one line of JSON (`SteadyCounters`), ends at end of file, and
 * keeps the same counters in /run/lab/steady-client.json for a look by hand.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { type Failure, requestOnce } from './one-request.ts'

export interface SteadyCounters {
  readonly target: string
  readonly attempts: number
  readonly answered: number
  readonly failed: number
  readonly perServer: Readonly<Record<string, number>>
  readonly failuresByCode: Readonly<Record<string, number>>
  /** Epoch milliseconds of the start of the last answered and the last failed attempt. */
  readonly lastAnswerAtMs: number | undefined
  readonly lastFailureAtMs: number | undefined
  /** The youngest failures, oldest first, at most 200. */
  readonly recentFailures: readonly Failure[]
}

const [address = '', portText, intervalText, timeoutText] = process.argv.slice(2)
const [port, intervalMs, timeoutMs] = [Number(portText), Number(intervalText), Number(timeoutText)]

let attempts = 0
let answered = 0
let failed = 0
const perServer: Record<string, number> = {}
const failuresByCode: Record<string, number> = {}
let lastAnswerAtMs: number | undefined
let lastFailureAtMs: number | undefined
const recentFailures: Failure[] = []

const counters = (): SteadyCounters => ({
  target: `${address}:${port}`,
  attempts,
  answered,
  failed,
  perServer,
  failuresByCode,
  lastAnswerAtMs,
  lastFailureAtMs,
  recentFailures,
})

const attempt = async (): Promise<void> => {
  attempts++
  const outcome = await requestOnce({
    address,
    port,
    path: '/',
    connectTimeoutMs: timeoutMs,
    responseTimeoutMs: timeoutMs,
  })
  if ('answer' in outcome) {
    answered++
    perServer[outcome.answer.server] = (perServer[outcome.answer.server] ?? 0) + 1
    lastAnswerAtMs = outcome.answer.atMs
    return
  }
  failed++
  failuresByCode[outcome.failure.code] = (failuresByCode[outcome.failure.code] ?? 0) + 1
  lastFailureAtMs = outcome.failure.atMs
  recentFailures.push(outcome.failure)
  if (recentFailures.length > 200) recentFailures.shift()
}

setInterval(() => void attempt(), intervalMs)
setInterval(() => {
  writeFileSync('/run/lab/steady-client.json.next', `${JSON.stringify(counters(), null, 2)}\n`)
  renameSync('/run/lab/steady-client.json.next', '/run/lab/steady-client.json')
}, 1000)
createInterface({ input: process.stdin })
  .on('line', () => console.log(JSON.stringify(counters())))
  .on('close', () => process.exit(0))
