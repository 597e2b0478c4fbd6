import { lookup } from 'node:dns/promises'
import net from 'node:net'
import { AppError } from '../../../core/contract/errors.ts'

const connectTimeoutMs = 10_000

/** Addresses of a name, in the order of the system's resolver; an address is itself. */
export async function resolveHost(host: string): Promise<string[]> {
  if (net.isIP(host) !== 0 || /^[0-9a-fA-F:]+%/.test(host)) return [host]
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new AppError('SSH_UNREACHABLE', `The name ${host} was not found: ${code ?? 'unknown error'}.`, {
      hint: 'Check the spelling, ~/.ssh/config and the DNS of this workstation, or give the address.',
      details: { host, errno: code ?? '' },
      retryable: true,
    })
  }
}

/** Opens a TCP connection to the first address that answers; Nagle's algorithm is off. */
export async function dial(addresses: readonly string[], port: number, signal: AbortSignal): Promise<net.Socket> {
  let last: NodeJS.ErrnoException = new Error('no address')
  for (const address of addresses) {
    try {
      return await dialOne(address, port, signal)
    } catch (error) {
      signal.throwIfAborted()
      last = error as NodeJS.ErrnoException
    }
  }
  const where = `${addresses.join(', ')} port ${port}`
  throw new AppError('SSH_UNREACHABLE', `${where} ${whatHappened(last.code)}.`, {
    hint: hintFor(last.code),
    details: { address: addresses.join(', '), port: String(port), errno: last.code ?? last.message },
    retryable: true,
  })
}

function dialOne(address: string, port: number, signal: AbortSignal): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: address, port, noDelay: true, signal })
    const timer = setTimeout(() => {
      socket.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }))
    }, connectTimeoutMs)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.removeListener('error', reject)
      resolve(socket)
    })
    socket.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
  })
}

function whatHappened(errno: string | undefined): string {
  switch (errno) {
    case 'ECONNREFUSED':
      return 'refused the connection'
    case 'ETIMEDOUT':
      return 'did not answer in time'
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'has no route from here'
    default:
      return `could not be reached: ${errno ?? 'unknown error'}`
  }
}

function hintFor(errno: string | undefined): string {
  switch (errno) {
    case 'ECONNREFUSED':
      return 'Check that sshd runs there and listens on this port.'
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'Check the address, the VPN and the routes of this workstation, or give a jump host.'
    default:
      return 'Check the address and the port, and firewalls on the way; a jump host can be given in the profile.'
  }
}
