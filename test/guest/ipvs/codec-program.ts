// Every command of IPVS against the kernel that this runs on; needs an interface `sync0` with an address. Prints one line
// of JSON.
import { IpvsClient } from '../../../agent/dataplane/ipvs/client.ts'
import { openIpvs } from '../../../agent/dataplane/ipvs/open.ts'
import type { IpvsDaemon, IpvsTableEntry, IpvsTimeouts } from '../../../agent/dataplane/ipvs/types.ts'
import { type GenericPort, GenericSocket } from '../../../agent/kernel/genl.ts'
import {
  clearIpvs,
  errnoRows,
  operationsFor,
  startingTable,
  syncInterface,
  tables,
} from '../../fixtures/ipvs-scenarios.ts'

export interface IpvsFacts {
  readonly version: string
  /** What each row of `errnoRows` gave. */
  readonly errnos: readonly (string | null)[]
  readonly refused: readonly (string | null)[]
  readonly table: readonly IpvsTableEntry[]
  readonly daemons: readonly IpvsDaemon[]
  readonly timeouts: readonly IpvsTimeouts[]
  /** The raw answers behind `table`, `daemons` and so on, by command of the answer, in hex. */
  readonly recorded: Readonly<Record<number, readonly string[]>>
}

/** Notes all answers, from the generic header on. */
function recording(port: GenericPort, record: (command: number, hex: string) => void): GenericPort {
  return {
    request: (request) => {
      const messages = port.request(request)
      for (const { command, version, attributes } of messages) {
        record(command, Buffer.concat([Buffer.from([command, version, 0, 0]), attributes]).toString('hex'))
      }
      return messages
    },
    dumpEach: (request, read) =>
      port.dumpEach(request, (words, start, end) => {
        // The generic header stands before the attributes.
        const message = Buffer.from(words.buffer, words.byteOffset + start - 4, end - start + 4)
        record(message.readUInt8(0), message.toString('hex'))
        return read(words, start, end)
      }),
    requestAll: (requests, bytes) => port.requestAll(requests, bytes),
    isThere: () => port.isThere(),
    close: () => port.close(),
  }
}

const opened = openIpvs()
if (opened.availability !== 'ready') throw new Error(opened.reason)
const { client, info } = opened
clearIpvs(client)

const errnos = errnoRows.map(({ act }) => {
  client.change(startingTable)
  const errno = act(client)
  clearIpvs(client)
  return errno
})

const recorded: Record<number, string[]> = {}
const socket = GenericSocket.open('IPVS')
if (socket === null) throw new Error('the family has gone')
const recorder = new IpvsClient(recording(socket, (command, hex) => void (recorded[command] ??= []).push(hex)))
recorder.info()
const timeouts = [recorder.timeouts()]
client.setTimeouts({ tcpSec: 800, udpSec: 10 })
timeouts.push(client.timeouts())
client.setTimeouts({ tcpSec: timeouts[0]?.tcpSec ?? 900, udpSec: timeouts[0]?.udpSec ?? 300 })
const refused = client.change(operationsFor(tables)).map((error) => error?.message ?? null)
const table = recorder.table()
clearIpvs(client)
client.startDaemon({ state: 'master', interface: syncInterface, syncId: 7 })
client.startDaemon({
  state: 'backup',
  interface: syncInterface,
  syncId: 255,
  maxLength: 1000,
  group: '239.1.2.3',
  port: 9000,
  ttl: 3,
})
const daemons = recorder.daemons()
clearIpvs(client)
process.stdout.write(
  `${JSON.stringify({ version: info.version, errnos, refused, table, daemons, timeouts, recorded } satisfies IpvsFacts)}\n`,
)
