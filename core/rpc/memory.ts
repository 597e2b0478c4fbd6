import { type Wire, WireState } from './wire.ts'

/** Two wires that are each other's far end. Messages are copied, as on a real transport, and arrive later, in order. */
export function memoryPair(): [Wire, Wire] {
  const states = [new WireState(), new WireState()] as const
  const end = (own: WireState, far: WireState): Wire => ({
    send(message) {
      if (own.isClosed) return
      const copy: unknown = structuredClone(message)
      queueMicrotask(() => far.receive(copy))
    },
    onMessage: (listener) => own.onMessage(listener),
    onClose: (listener) => own.onClose(listener),
    close(reason = 'closed') {
      own.close(reason)
      queueMicrotask(() => far.close(reason))
    },
  })
  return [end(states[0], states[1]), end(states[1], states[0])]
}
