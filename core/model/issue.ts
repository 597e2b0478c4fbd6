import { z } from 'zod'

/**
 * What a field must be, as a key. The English words stand here because the agent's CLI prints them too; the renderer
 * translates the same keys (`expect.*` in its locales) and a unit test holds that no key is missing there.
 */
export const expectations = {
  ipv4: 'an IPv4 address such as 192.0.2.10',
  address: 'an IPv4 or IPv6 address such as 192.0.2.10 or 2001:db8::10',
  multicast: 'a multicast address such as 224.0.0.81',
  family: 'ipv4 or ipv6',
  hostAddress: 'a unicast address that one host can own, not {why}',
  port: 'a whole number from 1 to 65535',
  portOrAny: 'a whole number from 1 to 65535, or 0 for every port',
  weight: 'a whole number from 0 to 65535',
  protocol: 'tcp, udp or sctp',
  dataplane: 'ebpf or ipvs',
  forwarding: 'dr, nat, tun, fullnat or local',
  scheduler: 'one of {names}',
  schedulerFlag: 'fallback or port',
  tunnelType: 'ipip, gue or gre',
  tunnelChecksum: 'nocsum, csum or remcsum',
  guePort: 'the UDP port of the GUE tunnel, from 1 to 65535',
  onlyWithGue: 'no port: only a GUE tunnel has one',
  noChecksumInIpip: 'nocsum: IPIP has no checksum of its own',
  remcsumOnlyInGue: 'nocsum or csum: remote checksum offload is part of GUE alone',
  engine: 'sip',
  boolean: 'true or false',
  announce: 'arp, route or none',
  state: 'enabled, drain or offline',
  name: '1 to 60 characters, none of them a control character',
  clusterName: '1 to 60 characters, none of them a control character',
  text: 'text of at most {max} characters without control characters',
  hostName: 'a host name or an address: 1 to 255 letters, digits and .-_:%, not beginning with -',
  userName: 'a user name of 1 to 64 characters without blanks, : and /, not beginning with -',
  interfaceName: 'a network interface name of 1 to 15 characters without "/" or blanks',
  interval: 'a time from {min} to {max} ms',
  timeoutBelowInterval: 'at most the interval, {interval} ms',
  count: 'a whole number from {min} to {max}',
  checkType: 'tcp or none',
  apiVersion: 'signalbox/v1',
  object: 'a mapping of fields to values',
  list: 'a list of at most {max} entries',
  knownField: 'one of the known fields: {fields}',
  required: 'a value; the field is missing',
  document: 'a document; the file is empty',
  syntax: '{what}',
  distinctRealServer: 'each real server once; it stands already at {other}',
  distinctService: 'each VIP, protocol and port once; it stands already at {other}',
  distinctName: 'each name once; it stands already at {other}',
  notVip: 'an address other than the VIP',
  notRealServer: 'an address other than that of a real server ({other})',
  samePortInDr: 'the port of the virtual service, {port}: only NAT and FullNAT translate ports',
  offeredBy: '{offers}: that is what the {dataplane} dataplane offers in this version',
  notOfferedBy: 'nothing: the {dataplane} dataplane does not offer it in this version',
  flagsOfScheduler: 'no flag: the scheduler {scheduler} reads none',
  distinctFlag: 'each flag once',
  onlyWithFwmark: 'nothing: only a service by fwmark names its family',
  notWithFwmark: 'nothing: a service by fwmark has no {field}',
  fullnatNeedsVip: 'a method other than fullnat: a service by fwmark has no VIP to tell its connections by',
  anyPortIsPersistent: 'a port from 1 to 65535, or persistence: a service of every port needs it',
  anyPortEverywhere: '0, since the virtual service has every port',
  onePacketIsUdp: 'left out: one-packet scheduling is for UDP or fwmark services',
  onePacketOrPersistence: 'left out: a persistent service is not scheduled packet by packet',
  sipIsUdp: 'left out: the sip engine is for UDP services',
  prefixOfFamily: 'a prefix length from 1 to {bits}',
  familyOfVip: "an address of the virtual service's family, {family}: only tunnels mix families",
  noSyncWithMixedFamilies:
    "an address of the virtual service's family, {family}: the sync daemon refuses mixed families",
  lowerBelowUpper: 'at most the upper threshold, {upper}',
  tunnelForTun: 'left out: only the forwarding method tun has a tunnel',
  fullnatIsWhole: 'what the service has: FullNAT is a setting of the whole service',
  localAddressesForFullnat: 'left out: only FullNAT has local addresses',
  localAddressOfDirector: 'an address that the director carries',
  localAddressIsNotVip: 'an address other than a VIP',
  distinctAddress: 'each address once',
  sysctlName: 'a sysctl of IPVS that may be set here: {names}',
  sysctlValue: 'a whole number, or the numbers that this sysctl takes, as text',
  syncRole: 'master or backup',
  seconds: 'a time from {min} to {max} s',
  schedulerOfKernel: 'a scheduler that this kernel has: {names}',
  kernelHasNoIpv6: 'IPv4: this kernel has no IPv6 (it was built without, or booted with ipv6.disable=1)',
  tunnelOfKernel: 'a tunnel type that this kernel has: {names}',
  notForeign: 'a service that nobody else set up; take it over with adopt, or choose another VIP or port',
  notManagedBy: 'a service that {writer} (process {pid}) does not manage on this director',
  notInOther: 'a VIP and port that the other dataplane does not have on this director',
  notManagementAddress: 'an address other than the one that SSH came in by',
  notOwnAddress: 'an address that the director does not carry already, or allowOwnAddress: true',
  tunnelRoom:
    'clients’ packets of {bytes} bytes at most where interfaces have 1500: larger ones are dropped (LB_DROP_MTU) and nobody is told; let the real servers announce it (ip route … advmss {mss})',
  onLink: 'an address that the director reaches without a gateway: DR rewrites only the MAC',
  interfaceOfDirector: 'an interface of the director: {names}',
  interfaceForVip: "an address in a network of one of the director's interfaces, or the field interface",
  valid: 'a valid value',
} as const

/** Why one host cannot own an address: the parameter `why` of `hostAddress`. The renderer translates these as well. */
export const noHostReasons = {
  multicast: 'a multicast address',
  broadcast: 'a broadcast address',
  loopback: 'a loopback address',
  unspecified: 'the unspecified address',
  reserved: 'a reserved address',
  linkLocal: 'a link-local address',
  ipv4Mapped: 'an IPv4 address in IPv6 notation',
  networkAddress: 'the first address of a connected network, which names the network',
  broadcastAddress: 'the last address of a connected network, its broadcast address',
} as const
export type NoHostReason = keyof typeof noHostReasons

export type ExpectationKey = keyof typeof expectations
const expectationKeys = Object.keys(expectations) as [ExpectationKey, ...ExpectationKey[]]

/** One thing wrong with an input: the field, what was found there, what was expected. Travels over the contracts. */
export const Issue = z.object({
  /** Field names and list positions from the document's root; empty means the document itself. */
  path: z.array(z.union([z.string(), z.number()])),
  /** The value as found, shortened, as JSON; `nothing` where there is none. */
  found: z.string(),
  expectation: z.enum(expectationKeys),
  params: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  /** Position in the file, from 1, where the input was a text file. */
  line: z.number().int().positive().optional(),
})
export type Issue = z.infer<typeof Issue>

/** `services[0].port`, as people write it. */
export function formatPath(path: readonly (string | number)[]): string {
  if (path.length === 0) return 'document'
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('')
}

/** Fills `{name}` places of a template. */
export function fill(template: string, params: Readonly<Record<string, string | number>> = {}): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(params, name) ? String(params[name]) : whole,
  )
}

/** The English sentence: `services[0].port: found 70000, expected a whole number from 1 to 65535`. */
export function formatIssue(issue: Issue): string {
  const where = issue.line === undefined ? '' : `line ${issue.line}: `
  const expectedWords = fill(expectations[issue.expectation], paramsInEnglish(issue))
  return `${where}${formatPath(issue.path)}: found ${issue.found}, expected ${expectedWords}`
}

function paramsInEnglish({ params }: Issue): Issue['params'] {
  const why = params?.['why']
  if (typeof why !== 'string' || !Object.hasOwn(noHostReasons, why)) return params
  return { ...params, why: noHostReasons[why as NoHostReason] }
}

/** A value as an operator should see it in an error: JSON, at most 80 characters. */
export function showValue(value: unknown): string {
  if (value === undefined) return 'nothing'
  // YAML has numbers that JSON would show as null.
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  // JSON has no word for functions and symbols; neither comes out of a file or off a wire.
  const text = (JSON.stringify(value) as string | undefined) ?? typeof value
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

/**
 * An `error` option for a zod schema that carries an expectation instead of prose, so that the words can be translated
 * and the found value can be added by {@link issuesOf}.
 */
export function expected(key: ExpectationKey, params?: Record<string, string | number>): { error: () => string } {
  const code = params === undefined ? key : `${key} ${JSON.stringify(params)}`
  return { error: () => code }
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input
  for (const key of path) {
    if (value === null || typeof value !== 'object') return undefined
    value = Object.hasOwn(value, key) ? (value as Record<PropertyKey, unknown>)[key] : undefined
  }
  return value
}

function parseCode(message: string): { expectation: ExpectationKey; params?: Record<string, string | number> } {
  const space = message.indexOf(' ')
  const key = space === -1 ? message : message.slice(0, space)
  if (!Object.hasOwn(expectations, key)) return { expectation: 'syntax', params: { what: withoutFrame(message) } }
  if (space === -1) return { expectation: key as ExpectationKey }
  return {
    expectation: key as ExpectationKey,
    params: JSON.parse(message.slice(space + 1)) as Record<string, string | number>,
  }
}

/** zod's own `Invalid input: expected string, received number` says what was found and "expected" a second time. */
const withoutFrame = (message: string): string =>
  message
    .replace(/^[A-Z][^:]*: expected /, '')
    .replace(/, received .*$/, '')
    .replace(/^Invalid string: must match pattern /, 'text that matches ')

/** Turns a zod error into issues that name what was found. `input` is the value that was parsed. */
export function issuesOf(error: z.ZodError, input: unknown): Issue[] {
  return error.issues.flatMap((issue): Issue[] => {
    const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        path: [...path, key],
        found: showValue(valueAt(input, [...path, key])),
        expectation: 'knownField',
        params: { fields: parseCode(issue.message).params?.['fields'] ?? '—' },
      }))
    }
    const value = valueAt(input, path)
    if (value === undefined && issue.code !== 'custom') return [{ path, found: 'nothing', expectation: 'required' }]
    return [{ path, found: showValue(value), ...parseCode(issue.message) }]
  })
}

/** A mapping with just these fields; an unknown one is refused with the list of those that exist. */
export function strictFields<S extends z.ZodRawShape>(shape: S) {
  const fields = Object.keys(shape).join(', ')
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? expected('knownField', { fields }).error() : expected('object').error(),
  })
}
