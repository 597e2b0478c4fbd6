import { AppError } from '../../core/contract/errors.ts'
import type { EbpfDataplaneLike } from './dataplane.ts'

/** Where this kernel cannot run the dataplane: the agent still answers, and says what is missing. */
export function unavailableDataplane(reason: string): EbpfDataplaneLike {
  const refuse = () => new AppError('REFUSED', `The eBPF dataplane cannot run here: ${reason}`)
  return {
    capabilities: () => ({ isAvailable: false, reason, hooks: [] }),
    attachments: () => [],
    newFlows: () => 'balanced',
    setNewFlows: () => {
      throw refuse()
    },
    observe: () => [],
    execute: () => Promise.resolve({ done: [], failure: { at: 0, error: refuse() } }),
    // It has no service that anybody's health could matter to.
    setHealth: () => {},
    read: () => ({ counterEpoch: 'none', services: [], verdicts: {}, flowTable: null }),
    lookupFlow: () => Promise.resolve(null),
    countFlows: () => Promise.resolve(0),
    connections: () => Promise.resolve({ rows: [], matched: 0, total: 0, isCut: false, takenAtMs: Date.now() }),
    sweep: () => Promise.resolve({ freed: 0, used: 0, released: 0 }),
    onEvent: () => () => {},
    takeDown: () => Promise.resolve(),
    close: () => {},
  }
}
