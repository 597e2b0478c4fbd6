import type { EventKey } from '../core/model/event-sentences.ts'
import type { DirectorEvent } from '../core/model/telemetry.ts'
import type { Clock } from './clock.ts'

const maxKept = 200

type Happened = Partial<Pick<DirectorEvent, 'service' | 'realServer' | 'params'>>

/** The last things that happened on this director, oldest first, while this agent ran. */
export class EventLog {
  readonly #clock: Clock
  readonly #onChange: () => void
  #events: readonly DirectorEvent[] = []
  #nextId = 1

  constructor(clock: Clock, onChange: () => void) {
    this.#clock = clock
    this.#onChange = onChange
  }

  list(): DirectorEvent[] {
    return [...this.#events]
  }

  add(message: EventKey, { service = null, realServer = null, params = {} }: Happened = {}): void {
    // The page takes no other kinds: a sentence of a new one does not compile.
    const known: `${DirectorEvent['kind']}.${string}` = message
    const kind = known.slice(0, known.indexOf('.')) as DirectorEvent['kind']
    const event = { id: this.#nextId++, atMs: this.#clock.nowMs(), kind, service, realServer, message, params }
    this.#events = [...this.#events, event].slice(-maxKept)
    this.#onChange()
  }
}
