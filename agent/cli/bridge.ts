import { existsSync } from 'node:fs'
import { AppError } from '../../core/contract/errors.ts'
import type { Socket } from 'node:net'
import { openSocket } from './agent-client.ts'

/**
 * Standard input and output to the agent's socket and back, byte by byte, for `ssh HOST signalbox connect`. Ends when
 * either side does. Who may only read gets the socket for that.
 */
export async function bridge(changePath: string, viewPath: string): Promise<void> {
  const socket = await openEither(changePath, viewPath)
  process.stdin.pipe(socket)
  socket.pipe(process.stdout)
  await new Promise<void>((resolve, reject) => {
    socket.once('close', () => resolve())
    socket.once('error', reject)
    // The far end of the SSH channel is gone: nothing more can be said.
    process.stdout.once('error', () => socket.destroy())
  })
  process.stdin.destroy()
}

async function openEither(changePath: string, viewPath: string): Promise<Socket> {
  try {
    return await openSocket(changePath)
  } catch (error) {
    const isForbidden = error instanceof AppError && error.details?.['errno'] === 'EACCES'
    if (!isForbidden || !existsSync(viewPath)) throw error
    return openSocket(viewPath)
  }
}
