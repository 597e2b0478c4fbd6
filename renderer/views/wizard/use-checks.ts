import { useCallback, useEffect, useRef, useState } from 'react'
import type { CheckedHostReport, CheckRequest } from '../../../core/contract/console.ts'
import { toWireError, type WireError } from '../../../core/contract/errors.ts'
import type { Fix } from '../../../core/diagnosis/finding.ts'
import { client } from '../../connection/client.ts'
import { type KeptReport, staleHosts } from './check-cells.ts'
import { dependenciesOf } from './check-request.ts'

export interface Checks {
  readonly reports: ReadonlyMap<string, KeptReport>
  readonly isRunning: boolean
  readonly error: WireError | null
  readonly run: (hosts: readonly string[]) => void
  readonly fix: (fixes: readonly Fix[]) => void
}

/**
 * Findings by host for the present form. While `isShown`, hosts whose findings are missing or stale are checked by
 * themselves; a report is kept with what it was taken for, so a late one never passes for a fresh one.
 */
export function useChecks(request: CheckRequest | null, isShown: boolean): Checks {
  const [reports, setReports] = useState<ReadonlyMap<string, KeptReport>>(new Map())
  const [isRunning, setRunning] = useState(false)
  const [error, setError] = useState<WireError | null>(null)
  const stop = useRef<AbortController | null>(null)
  useEffect(() => () => stop.current?.abort(), [])

  const read = useCallback(
    async (wanted: CheckRequest, open: (signal: AbortSignal) => AsyncIterable<CheckedHostReport>) => {
      stop.current?.abort()
      const own = new AbortController()
      stop.current = own
      setRunning(true)
      setError(null)
      try {
        for await (const report of open(own.signal)) {
          if (own.signal.aborted) return
          const key = dependenciesOf(wanted, report.host)
          setReports((before) => {
            // While a host is read again its former findings stay in view.
            const former = before.get(report.host)
            const findings =
              report.state === 'running' && former?.key === key ? former.report.findings : report.findings
            return new Map(before).set(report.host, { report: { ...report, findings }, key })
          })
        }
      } catch (reason) {
        if (!own.signal.aborted) setError(toWireError(reason))
      } finally {
        if (stop.current === own) {
          stop.current = null
          setRunning(false)
        }
      }
    },
    [],
  )

  const run = useCallback(
    (hosts: readonly string[]) => {
      if (request === null) return
      const wanted = { ...request, hosts: [...hosts] }
      void read(request, (signal) => client.stream('checks.run', wanted, { signal }))
    },
    [request, read],
  )
  const fix = useCallback(
    (fixes: readonly Fix[]) => {
      if (request === null || fixes.length === 0) return
      const fixIds = fixes.map(({ id }) => id)
      void read(request, (signal) => client.stream('checks.fix', { request, fixIds }, { signal }))
    },
    [request, read],
  )

  // Compared by content: the form makes a new request with every key stroke.
  const dependencies = request === null ? null : JSON.stringify(request)
  const latest = useRef({ request, reports, run })
  latest.current = { request, reports, run }
  useEffect(() => {
    if (!isShown || dependencies === null) return
    const { request: wanted, reports: now, run: check } = latest.current
    const stale = wanted === null ? [] : staleHosts(wanted, now)
    if (stale.length > 0) check(stale)
  }, [isShown, dependencies])

  return { reports, isRunning, error, run, fix }
}
