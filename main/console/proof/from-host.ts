import { AppError } from '../../../core/contract/errors.ts'
import { formatEndpoint } from '../../../core/model/address.ts'
import type { HostShell } from '../hosts.ts'
import { type Attempt, type ServiceKind, requestTimeoutMs } from './attempt.ts'

/** Requests in one command: a round trip for each would measure SSH. */
export const batchSize = 20

/**
 * One line for each request: exit status of curl, local address and port, HTTP status, seconds to connect, seconds in
 * all, what curl said. Old versions of curl know no errormsg and print its name; the exit status serves then.
 */
const script = `
command -v curl >/dev/null 2>&1 || exit 127
url=$1; count=$2; limit=$3
i=0
while [ $i -lt $count ]; do
  said=$(curl -s --noproxy '*' --max-time "$limit" --connect-timeout "$limit" -o /dev/null -A signalbox-proof \\
    -w '%{local_ip} %{local_port} %{http_code} %{time_connect} %{time_total} %{errormsg}' "$url" 2>/dev/null)
  printf '%s %s\\n' $? "$said"
  i=$((i + 1))
done
`

/** Sends `count` requests from another host; each attempt is handed over as soon as its line is there. */
export async function requestsFromHost(
  shell: HostShell,
  vip: string,
  port: number,
  count: number,
  kind: ServiceKind,
  onAttempt: (attempt: Attempt) => void,
  signal: AbortSignal,
): Promise<ServiceKind> {
  const limitSec = requestTimeoutMs / 1000
  let seen = kind
  const { code, stderr } = await shell.run(
    { script, args: [`http://${formatEndpoint(vip, port)}/`, String(count), String(limitSec)] },
    {
      signal,
      timeoutMs: count * requestTimeoutMs + 10_000,
      onLine(line) {
        const read = readLine(line, seen)
        if (read === null) return
        if (seen === 'unknown') seen = read.kind
        onAttempt(read.attempt)
      },
    },
  )
  if (code === 127) {
    throw new AppError('REFUSED', `${shell.host} has no curl, which the proof sends its requests with.`, {
      hint: 'Install curl there, or send the requests from this workstation.',
    })
  }
  if (code !== 0) {
    throw new AppError(
      'REFUSED',
      `The requests from ${shell.host} were cut short: sh ended with ${code ?? 'a signal'}.`,
      {
        details: { stderr: stderr.slice(0, 2000) },
      },
    )
  }
  return seen
}

/** Exit statuses of curl (curl(1) EXIT CODES) that mean "connected, and what came is no HTTP". */
const notHttp = new Set([1, 8, 52, 56])

export function readLine(line: string, kind: ServiceKind): { attempt: Attempt; kind: ServiceKind } | null {
  const match = /^(\d+) (\S*) (\d+) (\d{3}) ([\d.]+) ([\d.]+) ?(.*)$/.exec(line)
  if (match === null) return null
  const [, exit = '', address = '', localPort = '', status = '', connect = '', total = '', said = ''] = match
  const isConnected = Number(connect) > 0
  const socket = {
    clientAddress: address === '' ? null : address,
    clientPort: Number(localPort) > 0 ? Number(localPort) : null,
  }
  const ok = (durationSec: string, httpStatus: number | null) => ({
    ...socket,
    isOk: true,
    durationMs: Number(durationSec) * 1000,
    httpStatus,
    error: null,
  })
  if (Number(exit) === 0 && Number(status) > 0) return { attempt: ok(total, Number(status)), kind: 'http' }
  const isTcpProof =
    isConnected && (kind === 'tcp' || (kind === 'unknown' && (notHttp.has(Number(exit)) || exit === '28')))
  if (isTcpProof) return { attempt: ok(connect, null), kind: 'tcp' }
  return {
    attempt: { ...socket, isOk: false, durationMs: null, httpStatus: null, error: errorName(Number(exit), said) },
    kind,
  }
}

function errorName(exit: number, said: string): string {
  if (/refused/i.test(said)) return 'ECONNREFUSED'
  if (/no route|unreachable/i.test(said)) return 'EHOSTUNREACH'
  switch (exit) {
    case 7:
      return 'ECONNREFUSED'
    case 28:
      return 'ETIMEDOUT'
    case 56:
    case 35:
      return 'ECONNRESET'
    case 52:
      return 'EPROTO'
    default:
      return `curl ${exit}`
  }
}
