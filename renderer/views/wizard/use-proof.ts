import { useCallback, useEffect, useRef, useState } from 'react'
import type { ProofFrom } from '../../../core/contract/console.ts'
import { toWireError, type WireError } from '../../../core/contract/errors.ts'
import type { ProofRequest } from '../../../core/model/proof.ts'
import { client } from '../../connection/client.ts'

export interface Proof {
  readonly requests: readonly ProofRequest[]
  readonly wanted: number | null
  readonly isRunning: boolean
  readonly error: WireError | null
  readonly run: (from: ProofFrom, requests: number) => void
  /** Every request of the last run was answered. */
  readonly hasPassed: boolean
  /** The last run ended and a request was not answered, or the run itself failed. */
  readonly hasFailed: boolean
}

/** Real requests through a VIP, one by one as they are answered. Without a VIP and a port nothing is sent. */
export function useProof(directorId: string, vip: string | undefined, port: number): Proof {
  const [requests, setRequests] = useState<readonly ProofRequest[]>([])
  const [wanted, setWanted] = useState<number | null>(null)
  const [isRunning, setRunning] = useState(false)
  const [error, setError] = useState<WireError | null>(null)
  const stop = useRef<AbortController | null>(null)
  useEffect(() => () => stop.current?.abort(), [])
  const run = useCallback(
    (from: ProofFrom, count: number) => {
      if (vip === undefined || port === 0) return
      stop.current?.abort()
      const own = new AbortController()
      stop.current = own
      setRequests([])
      setWanted(count)
      setError(null)
      setRunning(true)
      const read = async () => {
        const input = { directorId, vip, port, from, requests: count }
        for await (const request of client.stream('proof.run', input, { signal: own.signal })) {
          if (own.signal.aborted) return
          setRequests((before) => [...before, request])
        }
      }
      read()
        .catch((reason: unknown) => !own.signal.aborted && setError(toWireError(reason)))
        .finally(() => stop.current === own && setRunning(false))
    },
    [directorId, vip, port],
  )
  const failed = requests.filter(({ isOk }) => !isOk).length
  const isOver = wanted !== null && !isRunning
  return {
    requests,
    wanted,
    isRunning,
    error,
    run,
    hasPassed: isOver && error === null && failed === 0 && requests.length === wanted,
    hasFailed: isOver && (error !== null || failed > 0),
  }
}
