import { z } from 'zod'

/** One real request through the VIP. */
export const ProofRequest = z.object({
  index: z.number().int(),
  isOk: z.boolean(),
  durationMs: z.number().nullable(),
  /** Status where the server spoke HTTP; null for plain TCP. */
  httpStatus: z.number().int().nullable(),
  /** `ECONNREFUSED`, `ETIMEDOUT`, … where it failed. */
  error: z.string().nullable(),
  clientPort: z.number().int().nullable(),
  /** Who answered, from the agent's record of the flow, never from the body; null where there is no record. */
  realServer: z.string().nullable(),
  /** Source address in that record: what the real server sees in DR. */
  clientAddress: z.string().nullable(),
})
export type ProofRequest = z.infer<typeof ProofRequest>

export interface ProofSummary {
  requests: number
  failed: number
  /** Requests whose flow record named no real server. */
  unattributed: number
  perRealServer: Record<string, number>
  clientAddresses: string[]
  /** Greatest distance of a share from its expected one, in percent of the expected; null without answers. */
  sharesWithinPercent: number | null
}

/** Counts a proof. `expectedShares`: share of the ring by real server key, 0 to 1. */
export function summarizeProof(
  requests: readonly ProofRequest[],
  expectedShares: Readonly<Record<string, number>>,
): ProofSummary {
  const perRealServer: Record<string, number> = Object.fromEntries(Object.keys(expectedShares).map((key) => [key, 0]))
  for (const { isOk, realServer } of requests) {
    if (isOk && realServer !== null) perRealServer[realServer] = (perRealServer[realServer] ?? 0) + 1
  }
  const answered = Object.values(perRealServer).reduce((sum, count) => sum + count, 0)
  const distances = Object.entries(expectedShares)
    .filter(([, share]) => share > 0)
    .map(([key, share]) => (Math.abs((perRealServer[key] ?? 0) / answered - share) / share) * 100)
  return {
    requests: requests.length,
    failed: requests.filter(({ isOk }) => !isOk).length,
    unattributed: requests.filter(({ isOk, realServer }) => isOk && realServer === null).length,
    perRealServer,
    clientAddresses: [...new Set(requests.flatMap(({ clientAddress }) => clientAddress ?? []))],
    sharesWithinPercent: answered === 0 || distances.length === 0 ? null : Math.max(...distances),
  }
}
