// Netlink against this kernel, in a network namespace of its own: `netlink-program.ts`. Prints one line of JSON.
import { type GenericRequest, GenericSocket } from '../../../agent/kernel/genl.ts'
import { encodeAttributes } from '../../../agent/kernel/netlink.ts'
import { NetlinkSocket } from '../../../agent/kernel/netlink-socket.ts'
import type { NetlinkRequest } from '../../../agent/kernel/pipeline.ts'
import { RouteSocket } from '../../../agent/kernel/route.ts'

const count = 3000

/** RTM_NEWADDR of 10.0.0.0 + index on lo, NLM_F_CREATE and NLM_F_EXCL. */
function address(index: number): NetlinkRequest {
  const fixed = Buffer.from([2, 32, 0, 0, 1, 0, 0, 0])
  const value = Buffer.from([10, 0, index >> 8, index & 0xff])
  const attributes = encodeAttributes([
    { type: 2, value },
    { type: 1, value },
  ])
  return {
    type: 20,
    flags: 0x600,
    what: () => `address ${index}`,
    write: (writer) => writer.raw(Buffer.concat([fixed, attributes])),
  }
}

const familyRequest = (name: string): GenericRequest => ({
  command: 3,
  what: () => `family ${name}`,
  write: (writer) => writer.text(2, name, 15),
})

export interface NetlinkFacts {
  readonly controller: { readonly id: number; readonly isThere: boolean } | null
  readonly hasUnknown: boolean
  /** Errno by index of the requests that were refused. */
  readonly refused: Readonly<Record<number, string>>
  readonly outcomes: number
  readonly addresses: number
  /** One for each look-up: the number of replies, or the errno. */
  readonly lookUps: readonly (number | string)[]
}

const controller = GenericSocket.open('nlctrl')
const netlink = new NetlinkSocket(0, 'rtnetlink')
// The addresses 100 and 2000 twice: the second of each is refused, in the middle of all others.
const indices = Array.from({ length: count }, (_, index) => (index === 1500 ? 100 : index === 2999 ? 2000 : index))
const { errors } = netlink.exchangeAll(indices.map(address))
const names = Array.from({ length: count }, (_, index) => (index % 7 === 3 ? 'nosuchfamily' : 'nlctrl'))
const lookedUp = controller?.requestAll(names.map(familyRequest), 4096)
const facts: NetlinkFacts = {
  controller: controller === null ? null : { id: controller.family.id, isThere: controller.isThere() },
  hasUnknown: GenericSocket.open('nosuchfamily') !== null,
  refused: Object.fromEntries(
    errors.flatMap((error, index) => (error === null ? [] : [[index, error.errno] as const])),
  ),
  outcomes: errors.length,
  addresses: new RouteSocket().addresses().length,
  lookUps: names.map((_, index) => lookedUp?.errors[index]?.errno ?? lookedUp?.messages.get(index)?.length ?? 0),
}
process.stdout.write(`${JSON.stringify(facts)}\n`)
