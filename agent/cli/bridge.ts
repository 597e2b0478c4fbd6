import { openAgentSocket } from './agent-client.ts'

/**
 * Standard input and output to the agent's socket and back, byte by byte, for `ssh HOST signalbox connect`. Ends when
 * either side does.
 */
export async function bridge(path: string): Promise<void> {
  const socket = await openAgentSocket(path)
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
