import ipaddr from 'ipaddr.js'
import { AppError } from '../contract/errors.ts'
import { showValue } from '../model/issue.ts'
import { HostFacts } from './facts.ts'
import { parseAddress, parseLink, parseNeighbour, parseRoute, parseXdp } from './parse-ip-output.ts'
import { type Socket, parseProcSocket, parseSsLine, settleListeners } from './parse-sockets.ts'

const maxLines = 50_000
const maxLineLength = 8192

interface Reading {
  readonly single: Map<string, string>
  readonly interfaces: Map<string, HostFacts['interfaces'][number]>
  readonly sysctls: Record<string, string>
  readonly routes: HostFacts['routes']
  readonly asked: Set<string>
  readonly sockets: Socket[]
  readonly ss: Socket[]
  readonly neighbours: HostFacts['neighbours']
  readonly files: Map<string, string[]>
  readonly extra: Record<string, string>
  readonly done: Set<string>
  file: string | null
}

/** One function for each tag that the probe prints; false where the line is not what the tag promises. */
const tags: Readonly<Record<string, (text: string, reading: Reading) => boolean>> = {
  hostname: once('hostname', /^\S{1,255}$/),
  kernel: once('kernel', /^\S{1,128}$/),
  machine: once('machine', /^\S{1,64}$/),
  uid: once('uid', /^\d{1,10}$/),
  extra: (text, { extra }) => {
    const match = /^([A-Za-z]{1,32}) (\S{1,255})$/.exec(text)
    if (match === null) return false
    extra[match[1] as string] = match[2] as string
    return true
  },
  link: (text, { interfaces }) => {
    const parsed = parseLink(text)
    if (parsed === null || interfaces.has(parsed.name)) return false
    interfaces.set(parsed.name, parsed)
    return true
  },
  addr: (text, { interfaces }) => {
    const parsed = parseAddress(text)
    if (parsed === null) return false
    // An interface can come up between the two commands; without its link it is left out as a whole.
    interfaces.get(parsed.interface)?.addresses.push(parsed.address)
    return true
  },
  sysctl: (text, { sysctls }) => {
    const match = /^(net\/[^:\s]{1,200}):(-?\d{1,11})$/.exec(text)
    if (match === null) return false
    sysctls[(match[1] as string).replaceAll('/', '.')] = match[2] as string
    return true
  },
  tcp: (text, { sockets }) => pushed(sockets, parseProcSocket(text, 4)),
  tcp6: (text, { sockets }) => pushed(sockets, parseProcSocket(text, 16)),
  ss: (text, { ss }) => pushed(ss, parseSsLine(text)),
  neighbour: (text, { neighbours }) => pushed(neighbours, parseNeighbour(text)),
  default: (text, { routes }) => {
    const parsed = parseRoute(text)
    if (parsed === null) return false
    // The kernel lists the best metric first.
    routes['default'] ??= parsed.route
    return true
  },
  asked: (text, { asked }) => {
    if (!ipaddr.IPv4.isValidFourPartDecimal(text)) return false
    asked.add(text)
    return true
  },
  route: (text, { routes, asked }) => {
    const parsed = parseRoute(text)
    if (parsed === null || !asked.has(parsed.to)) return false
    routes[parsed.to] = parsed.route
    return true
  },
  file: (text, reading) => {
    if (!/^\/etc\/(sysctl\.d|systemd\/system)\/[\w.-]{1,100}$/.test(text) || reading.files.has(text)) return false
    reading.file = text
    reading.files.set(text, [])
    return true
  },
  line: (text, { files, file }) => {
    const lines = file === null ? undefined : files.get(file)
    if (lines === undefined || lines.length >= 200) return false
    lines.push(text)
    return true
  },
  xdp: (text, { extra }) => {
    const parsed = parseXdp(text)
    if (parsed === null) return false
    extra[`xdp:${parsed.interface}`] = parsed.program
    return true
  },
  tc: (text, { extra }) => {
    const match = /^(\S{1,15}) (.+)$/.exec(text)
    if (match === null) return false
    // A filter is listed twice, first without its handle.
    const program = / handle \S+ (.+)$/.exec(match[2] as string)?.[1]
    if (program !== undefined) extra[`tc:${match[1] as string}`] = program.trim().slice(0, 200)
    return true
  },
  done: (text, { done }) => {
    if (!/^[a-z0-9]{1,16}$/.test(text)) return false
    done.add(text)
    return true
  },
}

/**
 * Reads what the probe printed. What stands before its first line and after its last (banners of login scripts) is
 * ignored; between them every line must be known. Throws BAD_INPUT for output that was cut or tampered with.
 */
export function parseProbe(output: string, nonce: string): HostFacts {
  const lines = output.split(/\r?\n/)
  if (lines.length > maxLines) throw unreadable(`${lines.length} lines`, `at most ${maxLines}`)
  const start = lines.indexOf(`signalbox-probe 1 ${nonce}`)
  if (start === -1)
    throw unreadable(showValue(lines.find((line) => line.trim() !== '') ?? ''), 'the first line of the probe')
  const end = lines.indexOf(`signalbox-probe end ${nonce}`, start)
  if (end === -1)
    throw unreadable(`${lines.length - start} lines without an end`, 'the last line of the probe: the answer was cut')

  const reading: Reading = {
    single: new Map(),
    interfaces: new Map(),
    sysctls: {},
    routes: {},
    asked: new Set(),
    sockets: [],
    ss: [],
    neighbours: [],
    files: new Map(),
    extra: {},
    done: new Set(),
    file: null,
  }
  for (let i = start + 1; i < end; i++) {
    const line = lines[i] as string
    const space = line.indexOf(' ')
    const tag = space === -1 ? line : line.slice(0, space)
    const isKnown = Object.hasOwn(tags, tag) && line.length <= maxLineLength && !hasControlCharacters(line)
    const text = space === -1 ? '' : tag === 'line' ? line.slice(space + 1) : line.slice(space + 1).trim()
    if (!isKnown || tags[tag]?.(text, reading) !== true) {
      throw unreadable(
        `line ${i - start + 1}: ${showValue(line)}`,
        Object.hasOwn(tags, tag) ? `what "${tag}" stands for` : 'a known tag',
      )
    }
  }
  return assemble(reading)
}

function assemble({
  single,
  interfaces,
  sysctls,
  routes,
  asked,
  sockets,
  ss,
  neighbours,
  files,
  extra,
  done,
}: Reading): HostFacts {
  const must = (name: string): string => {
    const value = single.get(name)
    if (value === undefined) throw unreadable('nothing', `a line "${name}"`)
    return value
  }
  // Without both lists a rule could take "no address" for a fact.
  const hasInterfaces = done.has('link') && done.has('addr')
  if (done.has('route')) for (const address of asked) routes[address] ??= { ...noRoute }
  if (done.has('default')) routes['default'] ??= { ...noRoute }
  else delete routes['default']
  for (const source of ['xdp', 'tc']) if (done.has(source)) extra[source] = 'read'
  return HostFacts.parse({
    hostname: must('hostname'),
    kernel: must('kernel'),
    uid: Number(must('uid')),
    interfaces: hasInterfaces ? [...interfaces.values()] : [],
    sysctls,
    routes,
    listeners: done.has('tcp')
      ? settleListeners(sockets, done.has('ss') ? ss : null, sysctls['net.ipv6.bindv6only'], must('machine'))
      : null,
    neighbours,
    files: Object.fromEntries([...files].map(([path, content]) => [path, content.map((line) => `${line}\n`).join('')])),
    extra,
  })
}

const noRoute = { kind: 'unreachable', gateway: null, interface: null, source: null } as const

function once(name: string, pattern: RegExp): (text: string, reading: Reading) => boolean {
  return (text, { single }) => {
    if (single.has(name) || !pattern.test(text)) return false
    single.set(name, text)
    return true
  }
}

function pushed<T>(list: T[], entry: T | null): boolean {
  if (entry === null) return false
  list.push(entry)
  return true
}

/** Anything but a tab: no tool prints it, and it would forge a terminal. */
function hasControlCharacters(line: string): boolean {
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i)
    if ((code < 0x20 && code !== 9) || code === 0x7f) return true
  }
  return false
}

function unreadable(found: string, expected: string): AppError {
  return new AppError(
    'BAD_INPUT',
    `The host's answer to the probe cannot be used: found ${found}, expected ${expected}.`,
    {
      hint: 'Check that the login shell of this user prints nothing of its own and that sh, sed, grep and ip work there.',
    },
  )
}
