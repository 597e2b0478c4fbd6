import { z } from 'zod'
import type { Protocol } from './dataplane.ts'
import { expected, strictFields } from './issue.ts'

const countOf = (min: number, max: number) =>
  z
    .int(expected('count', { min, max }))
    .min(min, expected('count', { min, max }))
    .max(max, expected('count', { min, max }))
const millisecondsOf = (min: number, max: number) =>
  z
    .int(expected('interval', { min, max }))
    .min(min, expected('interval', { min, max }))
    .max(max, expected('interval', { min, max }))

export const TcpCheck = strictFields({
  type: z.literal('tcp', expected('checkType')),
  intervalMs: millisecondsOf(200, 3_600_000).default(1000),
  timeoutMs: millisecondsOf(50, 60_000).default(800),
  /** Passed checks in a row until the real server counts as up. */
  rise: countOf(1, 20).default(2),
  /** Failed checks in a row until it counts as down. */
  fall: countOf(1, 20).default(2),
}).refine((check) => check.timeoutMs <= check.intervalMs, {
  path: ['timeoutMs'],
  error: (issue) =>
    expected('timeoutBelowInterval', { interval: (issue.input as { intervalMs: number }).intervalMs }).error(),
})
const NoCheck = strictFields({ type: z.literal('none', expected('checkType')) })
export const HealthCheck = z.discriminatedUnion('type', [TcpCheck, NoCheck], expected('checkType'))

export type HealthCheck = z.infer<typeof HealthCheck>
export type TcpCheck = z.infer<typeof TcpCheck>

export const defaultTcpCheck: TcpCheck = { type: 'tcp', intervalMs: 1000, timeoutMs: 800, rise: 2, fall: 2 }

/** A handshake proves nothing about UDP or SCTP, and a service of every port has no port to check. */
export const defaultCheckOf = (service: { protocol: Protocol; port: number }): HealthCheck =>
  service.protocol === 'tcp' && service.port !== 0 ? defaultTcpCheck : { type: 'none' }
