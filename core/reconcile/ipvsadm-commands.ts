import ipaddr from 'ipaddr.js'
import { addressBits, familyOf } from '../model/address.ts'
import type { ForwardingMethod, Protocol } from '../model/dataplane.ts'
import type { Command, NatEntry, RealServerConfig, ServiceConfig, Step, SyncDaemonConfig } from '../model/plan.ts'
import { quoteWords } from '../model/shell-quote.ts'
import { realServerKey, type Tunnel } from '../model/service.ts'
import { natRulesetText } from './nat-ruleset-text.ts'
import { isSysctl, timeoutSettings } from './settings.ts'

/**
 * What an operator would type to do the IPVS part of a plan by hand: ipvsadm(8), ip(8), sysctl(8), modprobe(8), nft(8).
 * It lasts until the next boot and nobody remembers it, unlike the plan itself. Steps of the eBPF dataplane have no such
 * words; a VIP of an eBPF service is left to the agent (see commands.ts).
 *
 * @param services those before and after the plan: they tell whose VIP is raised or lowered
 */
export function ipvsadmCommands(
  steps: readonly Step[],
  services: readonly Pick<ServiceConfig, 'vip' | 'dataplane'>[],
): Command[] {
  const ebpfVips = new Set(services.filter(({ dataplane }) => dataplane === 'ebpf').map(({ vip }) => vip))
  const ipvsVips = new Set(services.filter(({ dataplane }) => dataplane === 'ipvs').map(({ vip }) => vip))
  const isIpvsVip = (address: string) => ipvsVips.has(address) && !ebpfVips.has(address)
  // Last, since its settings and timeouts go with it.
  const isUnload = ({ kind }: Step) => kind === 'module.unload'
  const ordered = [...steps.filter((step) => !isUnload(step)), ...steps.filter(isUnload)]
  return ordered.flatMap((step) =>
    linesOf(step, isIpvsVip).map((text): Command => ({ host: 'director', kind: 'ipvsadm', text })),
  )
}

function linesOf(step: Step, isIpvsVip: (address: string) => boolean): string[] {
  switch (step.kind) {
    case 'module.load':
      return [quoteWords(['modprobe', step.module])]
    case 'module.unload':
      // Its schedulers' modules rest on it, and were loaded by the kernel.
      return [`modprobe -r $(awk '/^ip_vs_/ { print $1 }' /proc/modules) ${quoteWords([step.module])}`]
    case 'setting.set':
      // What it was before the module was loaded, nobody knows: the module starts anew with its own value.
      return step.after === '' ? [] : [quoteWords(settingWords(step.name, step.after))]
    case 'nat.set':
      return [nftLine(step.after)]
    case 'sync.start':
      return [quoteWords(['ipvsadm', '--start-daemon', ...daemonWords(step.daemon)])]
    case 'sync.stop':
      return [quoteWords(['ipvsadm', '--stop-daemon', step.daemon.role])]
    case 'service.add':
      return onIpvs(step.after, [['ipvsadm', '-A', ...identityWords(step.service), ...schedulingWords(step.after)]])
    case 'service.change': {
      const [before, after] = [schedulingWords(step.before), schedulingWords(step.after)]
      // Who checks and who announces is the agent's affair alone.
      const isSame = before.join(' ') === after.join(' ')
      return isSame ? [] : onIpvs(step.after, [['ipvsadm', '-E', ...identityWords(step.service), ...after]])
    }
    case 'service.remove':
      return onIpvs(step.before, [['ipvsadm', '-D', ...identityWords(step.service)]])
    case 'realServer.add':
      return onIpvs(step, [['ipvsadm', '-a', ...identityWords(step.service), ...realServerWords(step.after)]])
    case 'realServer.change': {
      const [before, after] = [realServerWords(step.before), realServerWords(step.after)]
      const isSame = before.join(' ') === after.join(' ')
      return isSame ? [] : onIpvs(step, [['ipvsadm', '-e', ...identityWords(step.service), ...after]])
    }
    case 'realServer.remove':
      return onIpvs(step, [['ipvsadm', '-d', ...identityWords(step.service), '-r', realServerKey(step.before)]])
    case 'drain.wait':
      return step.realServers.some(({ dataplane }) => dataplane === 'ipvs') ? [`sleep ${step.seconds}`] : []
    case 'vip.raise':
      return isIpvsVip(step.address) ? raiseLines(step) : []
    case 'vip.lower': {
      const { address, interface: name } = step
      return isIpvsVip(address) ? [quoteWords(['ip', 'address', 'del', withBits(address), 'dev', name])] : []
    }
    case 'dataplane.attach':
    case 'dataplane.detach':
    // Nothing changes in the kernel.
    case 'service.adopt':
    case 'service.release':
      return []
  }
}

const onIpvs = ({ dataplane }: Pick<ServiceConfig, 'dataplane'>, lines: readonly string[][]): string[] =>
  dataplane === 'ipvs' ? lines.map(quoteWords) : []

const withBits = (address: string): string => `${address}/${addressBits[familyOf(address)]}`

/**
 * As the agent does it: an IPv6 VIP without duplicate address detection, which would keep it silent for a second, and
 * never as the source of the director's own packets (agent/kernel/route.ts).
 */
function raiseLines({ address, interface: name, announce }: Extract<Step, { kind: 'vip.raise' }>): string[] {
  const isIpv6 = familyOf(address) === 'ipv6'
  const add = [
    'ip',
    'address',
    'add',
    withBits(address),
    'dev',
    name,
    ...(isIpv6 ? ['preferred_lft', '0', 'nodad'] : []),
  ]
  const tell = announce === 'arp' && !isIpv6 ? [['arping', '-U', '-c', '2', '-I', name, address]] : []
  return [add, ...tell].map(quoteWords)
}

function settingWords(name: string, value: string): string[] {
  if (isSysctl(name)) return ['sysctl', '-w', `${name}=${value}`]
  // Three places; 0 leaves one as it is (ipvsadm(8), --set).
  const places = [timeoutSettings.tcpSec, timeoutSettings.tcpFinSec, timeoutSettings.udpSec]
  return ['ipvsadm', '--set', ...places.map((place) => (place === name ? value : '0'))]
}

/** `tcp/192.0.2.10:80`, `fwmark/7/ipv6`; see serviceKey in core/model/service.ts. */
function identityWords(key: string): string[] {
  const [kind = '', rest = '', family] = key.split('/')
  if (kind === 'fwmark') return ['-f', rest, ...(family === 'ipv6' ? ['-6'] : [])]
  const flags: Readonly<Record<Protocol, string>> = { tcp: '-t', udp: '-u', sctp: '--sctp-service' }
  return [flags[kind as Protocol], rest]
}

function schedulingWords({ scheduler, schedulerFlags, persistence, onePacket, family }: ServiceConfig): string[] {
  const flags = schedulerFlags.map((flag) => `${scheduler}-${flag}`).join(',')
  return [
    '-s',
    scheduler,
    ...(flags === '' ? [] : ['-b', flags]),
    ...(persistence === null ? [] : ['-p', String(persistence.timeoutSec)]),
    ...(persistence?.prefixLength === undefined ? [] : ['-M', netmask(family, persistence.prefixLength)]),
    ...(persistence?.engine === undefined ? [] : ['--pe', persistence.engine]),
    ...(onePacket ? ['-o'] : []),
  ]
}

/** ipvsadm wants a mask for IPv4 and a prefix length for IPv6. */
const netmask = (family: ServiceConfig['family'], prefixLength: number): string =>
  family === 'ipv6' ? String(prefixLength) : ipaddr.IPv4.subnetMaskFromPrefixLength(prefixLength).toString()

/**
 * `local` has no word of its own: the kernel delivers by itself what goes to an address of its own (ipvsadm(8)). FullNAT
 * is NAT, with the table of nat.set beside it.
 */
const methodWords: Readonly<Record<ForwardingMethod, string>> = {
  dr: '-g',
  local: '-g',
  tun: '-i',
  nat: '-m',
  fullnat: '-m',
}

/** Drained and offline real servers keep their weight in the document alone. */
function realServerWords(realServer: RealServerConfig): string[] {
  const { weight, state, forwarding, tunnel, upperThreshold, lowerThreshold } = realServer
  return [
    '-r',
    realServerKey(realServer),
    methodWords[forwarding],
    ...(tunnel === null ? [] : tunnelWords(tunnel)),
    '-w',
    String(state === 'enabled' ? weight : 0),
    ...(upperThreshold === 0 ? [] : ['-x', String(upperThreshold)]),
    ...(lowerThreshold === 0 ? [] : ['-y', String(lowerThreshold)]),
  ]
}

function tunnelWords({ type, port, checksum }: Tunnel): string[] {
  if (type === 'ipip') return []
  return ['--tun-type', type, ...(port === undefined ? [] : ['--tun-port', String(port)]), `--tun-${checksum}`]
}

function daemonWords({ role, interface: name, syncId, group, port, ttl }: SyncDaemonConfig): string[] {
  return [
    role,
    '--mcast-interface',
    name,
    '--syncid',
    String(syncId),
    ...(group === undefined ? [] : ['--mcast-group', group]),
    '--mcast-port',
    String(port),
    '--mcast-ttl',
    String(ttl),
  ]
}

const nftLine = (entries: readonly NatEntry[]): string => `nft -f - <<'EOF'\n${natRulesetText(entries)}EOF`
