/** What must go when the owner of a lab or a guest ends, however it ends. */
export interface Teardown {
  /** Kills and removes everything before it returns. */
  readonly now: () => void
  /** The orderly way. */
  readonly stop: () => Promise<void>
}

const open = new Set<Teardown>()
const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The owner ends now: kill, remove, no waiting. Reached by process.exit and by uncaught exceptions. */
const tearDownNow = (): void => {
  for (const lab of open) lab.now()
  open.clear()
}

/** Stops the labs, then ends the process as the signal would have. Another listener may want to end it by itself. */
const onSignal = (signal: NodeJS.Signals): void => {
  const alone = process.listenerCount(signal) === 1
  void Promise.allSettled([...open].map((lab) => lab.stop())).then(() => {
    if (!alone) return
    unhook()
    process.kill(process.pid, signal)
  })
}

const unhook = (): void => {
  process.off('exit', tearDownNow)
  for (const signal of endingSignals) process.off(signal, onSignal)
}

/** Registers a lab with the end of this process; returns the function that takes it back. */
export const tearDownAtExit = (lab: Teardown): (() => void) => {
  if (open.size === 0) {
    process.on('exit', tearDownNow)
    for (const signal of endingSignals) process.on(signal, onSignal)
  }
  open.add(lab)
  return () => {
    open.delete(lab)
    if (open.size === 0) unhook()
  }
}
