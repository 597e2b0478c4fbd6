// IPVS as ipvsadm(8) tells it, and as a document or the agent does, in the same lines: each service and each real server is one.
import type { DirectorState } from '../../../core/contract/agent.ts'
import type { ClusterSpec } from '../../../core/model/cluster-spec.ts'
import type { RealServerConfig } from '../../../core/model/plan.ts'
import { realServerKey, serviceKey } from '../../../core/model/service.ts'
import { type DesiredService, desiredOf } from '../../../core/reconcile/desired.ts'

type Programmed = DesiredService

interface ServiceLine {
  readonly scheduler: string
  readonly flags: readonly string[]
  readonly persistence: string
  readonly engine: string
  readonly onePacket: boolean
}

const serviceLine = (key: string, { scheduler, flags, persistence, engine, onePacket }: ServiceLine): string =>
  [key, scheduler, ...flags.toSorted(), persistence, engine, onePacket ? 'one packet' : '']
    .filter((word) => word !== '')
    .join(' ')

const realServerLine = (key: string, realServer: string, method: string, weight: number): string =>
  `${key} > ${realServer} ${method} weight ${weight}`

const identities = { '-t': 'tcp', '-u': 'udp', '--sctp-service': 'sctp' } as const
const methods = { '-m': 'nat', '-g': 'dr' } as const
const valued = new Set([
  '-t',
  '-u',
  '--sctp-service',
  '-f',
  '-s',
  '-p',
  '-M',
  '--pe',
  '-b',
  '-r',
  '-w',
  '--tun-type',
  '--tun-port',
])

/** `-s wlc -p 60 -o`: values by their flag, and the flags without one. */
function wordsOf(line: string): Map<string, string> {
  const words = line.split(' ')
  const found = new Map<string, string>()
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    found.set(word, valued.has(word) ? (words[++i] ?? '') : '')
  }
  return found
}

function keyOf(words: ReadonlyMap<string, string>): string {
  const mark = words.get('-f')
  if (mark !== undefined) return `fwmark/${mark}/${words.has('-6') ? 'ipv6' : 'ipv4'}`
  for (const [flag, protocol] of Object.entries(identities)) {
    const address = words.get(flag)
    if (address !== undefined) return `${protocol}/${address}`
  }
  throw new Error(`no service is named in ${[...words.keys()].join(' ')}`)
}

const prefixOf = (mask: string): string =>
  mask.includes('.')
    ? String(mask.split('.').reduce((bits, byte) => bits + Number(byte).toString(2).replaceAll('0', '').length, 0))
    : mask

function methodOf(words: ReadonlyMap<string, string>): string {
  for (const [flag, method] of Object.entries(methods)) if (words.has(flag)) return method
  if (!words.has('-i')) throw new Error(`no method in ${[...words.keys()].join(' ')}`)
  const checksum = ['nocsum', 'csum', 'remcsum'].find((word) => words.has(`--tun-${word}`)) ?? 'nocsum'
  return ['tun', words.get('--tun-type'), words.get('--tun-port') ?? '', checksum]
    .filter((word) => word !== '')
    .join(' ')
}

/** Reads `ipvsadm -Sn`. Thresholds are not in it. */
export function linesOfSave(text: string): string[] {
  return text
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const words = wordsOf(line)
      const key = keyOf(words)
      if (words.has('-a')) {
        return realServerLine(key, words.get('-r') ?? '', methodOf(words), Number(words.get('-w')))
      }
      const timeout = words.get('-p')
      const mask = words.get('-M')
      return serviceLine(key, {
        scheduler: words.get('-s') ?? '',
        flags: (words.get('-b') ?? '').split(',').flatMap((flag) => (flag === '' ? [] : [flag.replace(/^\w+-/, '')])),
        persistence:
          timeout === undefined ? '' : `for ${timeout} s${mask === undefined ? '' : ` by /${prefixOf(mask)}`}`,
        engine: words.get('--pe') ?? '',
        onePacket: words.has('-o'),
      })
    })
    .toSorted()
}

/** Reads `ipvsadm -Ln --thresholds`: real servers that have one. */
export function linesOfThresholds(text: string): string[] {
  const found: string[] = []
  let key = ''
  for (const line of text.split('\n').slice(3)) {
    const service = /^(TCP|UDP|SCTP|FWM) +(\S+)( IPv6)? /.exec(line)
    if (service !== null) {
      const [, kind = '', name = '', isIpv6] = service
      key =
        kind === 'FWM' ? `fwmark/${name}/${isIpv6 === undefined ? 'ipv4' : 'ipv6'}` : `${kind.toLowerCase()}/${name}`
      continue
    }
    const realServer = /^ {2}-> (\S+) +(\d+) +(\d+) /.exec(line)
    if (realServer === null) continue
    const [, name, upper, lower] = realServer
    if (upper !== '0' || lower !== '0') found.push(`${key} > ${name} ${upper} ${lower}`)
  }
  return found.toSorted()
}

/** What a document wants, or the agent sees, in the same lines. */
export function linesOf(services: readonly Programmed[]): string[] {
  return services
    .flatMap(({ config, realServers }) => {
      const key = serviceKey(config)
      const { scheduler, schedulerFlags, persistence, onePacket } = config
      const prefix = persistence?.prefixLength === undefined ? '' : ` by /${persistence.prefixLength}`
      return [
        serviceLine(key, {
          scheduler,
          flags: schedulerFlags,
          persistence: persistence === null ? '' : `for ${persistence.timeoutSec} s${prefix}`,
          engine: persistence?.engine ?? '',
          onePacket,
        }),
        ...realServers.map((one) =>
          realServerLine(key, realServerKey(one), methodWords(one), one.state === 'enabled' ? one.weight : 0),
        ),
      ]
    })
    .toSorted()
}

function methodWords({ forwarding, tunnel }: RealServerConfig): string {
  if (tunnel !== null)
    return ['tun', tunnel.type, tunnel.port ?? '', tunnel.checksum].filter((one) => one !== '').join(' ')
  // FullNAT's other half is not IPVS's, and ipvsadm has no word for what stays on the director: it saves -g.
  const words = { nat: 'nat', fullnat: 'nat', dr: 'dr', local: 'dr', tun: 'tun' } as const
  return words[forwarding]
}

export function thresholdsOf(services: readonly Programmed[]): string[] {
  return services
    .flatMap(({ config, realServers }) =>
      realServers
        .filter(({ upperThreshold, lowerThreshold }) => upperThreshold !== 0 || lowerThreshold !== 0)
        .map((one) => `${serviceKey(config)} > ${realServerKey(one)} ${one.upperThreshold} ${one.lowerThreshold}`),
    )
    .toSorted()
}

/** A document's own services, as the agent is to program them. */
export function wantedBy(spec: ClusterSpec): readonly Programmed[] {
  const interfaces = Object.fromEntries(spec.services.map((service) => [serviceKey(service), 'e0']))
  return desiredOf(spec, interfaces).services
}

export const seenBy = (state: DirectorState): readonly Programmed[] =>
  state.observed.services.map((service) => ({ config: service, realServers: service.realServers }))
