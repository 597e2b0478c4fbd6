import type { consoleContract } from '../../core/contract/console.ts'
import { AppError } from '../../core/contract/errors.ts'
import type { Client } from '../../core/rpc/client.ts'

/** What the views call: the console's contract over whichever connection is open now. */
export type ConsoleClient = Pick<Client<typeof consoleContract>, 'call' | 'stream'>

let current: ConsoleClient | null = null

/** The link sets the client of the connection that is open, or null when it is lost. */
export function setClient(client: ConsoleClient | null): void {
  current = client
}

function open(): ConsoleClient {
  if (current === null) {
    throw new AppError('CLOSED', 'The page is not connected to the console.', {
      hint: 'It connects again by itself; try once more then.',
      retryable: true,
    })
  }
  return current
}

export const client: ConsoleClient = {
  // async: a closed link rejects, like every other failure of a call.
  call: async (method, input, options) => open().call(method, input, options),
  stream: (name, input, options) => open().stream(name, input, options),
}
