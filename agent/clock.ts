import { readFileSync } from 'node:fs'

/** Where the agent takes time from. */
export interface Clock {
  /** Wall clock, UTC. May jump. */
  nowMs(): number
  /** CLOCK_MONOTONIC: never jumps, stands still while the machine sleeps. For rates. */
  monotonicMs(): number
  /** CLOCK_BOOTTIME: never jumps, counts sleep too. For deadlines; means nothing in another boot. */
  bootMs(): number
  /** Changes at each boot. */
  readonly bootId: string
  /** Calls once after `delayMs`; the returned function calls it off. */
  after(delayMs: number, callback: () => void): () => void
}

export function systemClock(): Clock {
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => Number(process.hrtime.bigint() / 1000n) / 1000,
    // The first figure of /proc/uptime is CLOCK_BOOTTIME, in hundredths of a second.
    bootMs: () => Number.parseFloat(readFileSync('/proc/uptime', 'utf8')) * 1000,
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    after(delayMs, callback) {
      const timer = setTimeout(callback, delayMs)
      return () => clearTimeout(timer)
    },
  }
}
