import { consoleContract } from '../../core/contract/console.ts'
import { type Timers, createClient } from '../../core/rpc/client.ts'
import type { Wire } from '../../core/rpc/wire.ts'
import { useConsole } from '../store/console-store.ts'
import { type ConsoleClient, setClient } from './client.ts'
import { openWire } from './open-wire.ts'

const backoffMs = [500, 1000, 2000, 4000, 8000] as const

/** The page's clock, which core has not. */
const timers: Timers = {
  after(delayMs, callback) {
    const timer = window.setTimeout(callback, delayMs)
    return () => window.clearTimeout(timer)
  },
}

/**
 * Keeps the page connected to the console core: opens a wire, opens the next one when it closes, waits longer after each
 * failure, and says in the store what it is doing.
 *
 * @param onOpen told of each new connection; what it returns is called when that connection is lost
 */
export function startLink(onOpen: (client: ConsoleClient) => () => void): void {
  const setLink = (change: Partial<ReturnType<typeof useConsole.getState>['link']>) =>
    useConsole.setState(({ link }) => ({ link: { ...link, ...change } }))

  const connect = async (attempt: number): Promise<void> => {
    setLink({ phase: 'connecting', attempt, retryAtMs: null })
    let wire: Wire
    try {
      wire = await openWire()
    } catch {
      retry(attempt)
      return
    }
    const opened = createClient(wire, consoleContract, timers)
    setClient(opened)
    setLink({ phase: 'open', attempt: 0, wasOpen: true })
    const onLost = onOpen(opened)
    wire.onClose(() => {
      setClient(null)
      onLost()
      retry(0)
    })
  }

  const retry = (attempt: number): void => {
    const delayMs = backoffMs[Math.min(attempt, backoffMs.length - 1)] ?? 8000
    setLink({ phase: 'waiting', attempt: attempt + 1, retryAtMs: Date.now() + delayMs })
    setTimeout(() => void connect(attempt + 1), delayMs)
  }

  void connect(0)
}
