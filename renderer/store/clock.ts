import { useEffect, useState } from 'react'

/** The workstation's wall clock, read again every `everyMs` while the component is shown. */
export function useNow(everyMs = 1000): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}

/** Milliseconds that are left of a length that was true at `sinceMs` of `performance.now`; never below zero. */
export function useRemaining(lengthMs: number | null, sinceMs: number): number | null {
  const [now, setNow] = useState(() => performance.now())
  useEffect(() => {
    if (lengthMs === null) return
    const timer = setInterval(() => setNow(performance.now()), 250)
    return () => clearInterval(timer)
  }, [lengthMs])
  return lengthMs === null ? null : Math.max(0, lengthMs - Math.max(0, now - sinceMs))
}
