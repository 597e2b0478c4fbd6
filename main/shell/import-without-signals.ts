/**
 * Imports a package and takes away the signal listeners that it installs on the way. `conf` brings `when-exit`, which
 * answers each first signal by sending it to the process once more: the program would be killed in the middle of its
 * clean-up. What such a package does when the process exits stays.
 */
export async function importWithoutSignals<T>(load: () => Promise<T>): Promise<T> {
  const before = signalListeners()
  const loaded = await load()
  for (const [signal, listeners] of signalListeners()) {
    for (const listener of listeners) {
      if (before.get(signal)?.has(listener) !== true) process.removeListener(signal, listener)
    }
  }
  return loaded
}

type Listener = (...args: unknown[]) => void

function signalListeners(): Map<string, Set<Listener>> {
  const signals = process.eventNames().filter((name) => typeof name === 'string' && name.startsWith('SIG')) as string[]
  return new Map(signals.map((signal) => [signal, new Set(process.rawListeners(signal) as Listener[])]))
}
