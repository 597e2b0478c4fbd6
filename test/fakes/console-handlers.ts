import { type ConsoleContract, consoleContract } from '../../core/contract/console.ts'
import type { Handlers } from '../../core/contract/define.ts'

/** Handlers of a console that can do only what is given; every other entry has a defect that carries a secret. */
export function consoleHandlers(given: Partial<Handlers<ConsoleContract>>): Handlers<ConsoleContract> {
  const defects = Object.keys(consoleContract).map((name) => [
    name,
    () => {
      throw new Error('a defect with password=hunter2')
    },
  ])
  return { ...(Object.fromEntries(defects) as Handlers<ConsoleContract>), ...given }
}
