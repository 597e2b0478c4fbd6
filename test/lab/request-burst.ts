/**
 * Many requests from one process of a lab host: reads `BurstOptions` as JSON from standard input, prints `BurstResult`.
 */
import { text } from 'node:stream/consumers'
import { type Answer, type Failure, type RequestTarget, requestOnce } from './one-request.ts'

export interface BurstOptions extends RequestTarget {
  readonly count: number
  readonly concurrency: number
  /** Requests are started no faster than this; 0 means as fast as `concurrency` lets them. */
  readonly ratePerSec: number
}

export interface BurstResult {
  readonly requests: number
  readonly answered: number
  readonly failed: number
  /** Answers by the name of the real server. */
  readonly perServer: Readonly<Record<string, number>>
  /** Answers by the client address that the real server saw. */
  readonly clientAddresses: Readonly<Record<string, number>>
  readonly answers: readonly Answer[]
  readonly failures: readonly Failure[]
  readonly durationMs: number
}

/** Sends `count` requests, each on its own connection. */
const burst = async (options: BurstOptions): Promise<BurstResult> => {
  const answers: Answer[] = []
  const failures: Failure[] = []
  const startMs = performance.now()
  let started = 0
  const work = async (): Promise<void> => {
    while (started < options.count) {
      const turn = started++
      const waitMs = options.ratePerSec > 0 ? startMs + (turn * 1000) / options.ratePerSec - performance.now() : 0
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
      const outcome = await requestOnce(options)
      if ('answer' in outcome) answers.push(outcome.answer)
      else failures.push(outcome.failure)
    }
  }
  await Promise.all(Array.from({ length: options.concurrency }, work))
  const countBy = (key: (answer: Answer) => string): Record<string, number> => {
    const counts: Record<string, number> = {}
    for (const answer of answers) counts[key(answer)] = (counts[key(answer)] ?? 0) + 1
    return counts
  }
  return {
    requests: answers.length + failures.length,
    answered: answers.length,
    failed: failures.length,
    perServer: countBy((answer) => answer.server),
    clientAddresses: countBy((answer) => answer.clientAddress),
    answers,
    failures,
    durationMs: Math.round(performance.now() - startMs),
  }
}

console.log(JSON.stringify(await burst(JSON.parse(await text(process.stdin)) as BurstOptions)))
