import { quoteWord, quoteWords } from '../model/shell-quote.ts'
import type { HostFacts, InterfaceAddress } from './facts.ts'
import { type FixDraft, type FixStep, MissingFact } from './rule.ts'

/** A value under net.ipv4.conf, by interface (`all` included) and name. */
export interface ConfSetting {
  readonly interface: string
  readonly name: string
  readonly value: number
}

/** Dots in an interface's name (VLANs) would be taken for separators, so then slashes separate. */
export function confKey(interfaceName: string, name: string): string {
  const separator = interfaceName.includes('.') ? '/' : '.'
  return ['net', 'ipv4', 'conf', interfaceName, name].join(separator)
}

/** `sysctl -w`, or a write to /proc/sys where the host has no sysctl. */
function setSysctl(facts: HostFacts, key: string, value: string): string {
  if (facts.extra['sysctlPath'] !== undefined) return quoteWords(['sysctl', '-w', `${key}=${value}`])
  const path = key.includes('/') ? key : key.replaceAll('.', '/')
  return `echo ${quoteWord(value)} > ${quoteWord(`/proc/sys/${path}`)}`
}

/** Writes a small text file; the undo puts the former content back, or removes the file. */
export function writeFile(facts: HostFacts, path: string, content: string): FixStep[] {
  const former = facts.files[path]
  if (former === content) return []
  return [
    {
      run: printInto(path, content),
      undo: former === undefined ? `rm -f ${quoteWord(path)}` : printInto(path, former),
    },
  ]
}

function printInto(path: string, content: string): string {
  const lines = content.replace(/\n$/, '').split('\n')
  return `printf '%s\\n' ${lines.map(quoteWord).join(' ')} > ${quoteWord(path)}`
}

/**
 * Sets sysctls now, and for the next boot in `/etc/sysctl.d/60-signalbox-<vip>-<name>.conf` where the host has that
 * directory: one file for each VIP and rule, so that undoing one never touches another.
 */
export function sysctlFix(
  facts: HostFacts,
  name: string,
  vip: string,
  keys: readonly (readonly [string, number])[],
): FixDraft {
  const steps = keys.map(([key, value]): FixStep => {
    const former = facts.sysctls[key.replaceAll('/', '.')]
    if (former === undefined) throw new MissingFact(key)
    return { run: setSysctl(facts, key, String(value)), undo: setSysctl(facts, key, former) }
  })
  if (facts.extra['sysctlDir'] !== 'yes') return { steps, files: [], survivesReboot: false }
  const path = `/etc/sysctl.d/60-signalbox-${vip}-${name}.conf`
  const lines = [
    `# Signalbox: for the virtual service address ${vip}`,
    ...keys.map(([key, value]) => `${key} = ${value}`),
  ]
  return {
    steps: [...steps, ...writeFile(facts, path, `${lines.join('\n')}\n`)],
    files: [path],
    survivesReboot: true,
  }
}

export function confFix(facts: HostFacts, vip: string, settings: readonly ConfSetting[]): FixDraft | null {
  const [first] = settings
  if (first === undefined) return null
  return sysctlFix(
    facts,
    first.name,
    vip,
    settings.map(({ interface: interfaceName, name, value }) => [confKey(interfaceName, name), value] as const),
  )
}

/** Adds an address as it was, with all that `ip addr add` can say of it. */
export function addAddress(interfaceName: string, address: InterfaceAddress, verb: 'add' | 'replace'): string {
  return quoteWords([
    'ip',
    'addr',
    verb,
    ...(address.peer === null ? [] : [address.address, 'peer']),
    `${address.peer ?? address.address}/${address.prefixLength}`,
    ...(address.broadcast === null ? [] : ['brd', address.broadcast]),
    'dev',
    interfaceName,
    // What the kernel would choose by itself is left out: the line is read by people.
    ...(address.scope === 'global' ? [] : ['scope', address.scope]),
    ...(address.label === null || address.label === interfaceName ? [] : ['label', address.label]),
    ...(address.hasNoPrefixRoute ? ['noprefixroute'] : []),
  ])
}

export function deleteAddress(interfaceName: string, address: InterfaceAddress): string {
  return quoteWords(['ip', 'addr', 'del', `${address.address}/${address.prefixLength}`, 'dev', interfaceName])
}

/** Succeeds also where the address is gone. Takes every prefix length of it. */
export function flushAddress(interfaceName: string, address: string): string {
  return quoteWords(['ip', 'addr', 'flush', 'dev', interfaceName, 'to', `${address}/32`])
}

/** A unit that raises the VIP on lo at boot, after the ARP settings; no steps where systemd does not run. */
export function vipUnit(facts: HostFacts, vip: string): FixDraft {
  const ip = facts.extra['ipPath']
  if (facts.extra['systemd'] !== 'yes' || ip === undefined || !/^\/[\w./-]+$/.test(ip)) {
    return { steps: [], files: [], survivesReboot: false }
  }
  const unit = `signalbox-vip-${vip}.service`
  const path = `/etc/systemd/system/${unit}`
  const content = `${[
    '[Unit]',
    `Description=Signalbox: VIP ${vip} on lo, for direct routing`,
    'After=systemd-sysctl.service',
    '',
    '[Service]',
    'Type=oneshot',
    'RemainAfterExit=yes',
    `ExecStart=${ip} addr replace ${vip}/32 dev lo`,
    '',
    '[Install]',
    'WantedBy=multi-user.target',
  ].join('\n')}\n`
  const written = writeFile(facts, path, content).map(({ run, undo }) => ({
    run,
    undo: `${undo} && systemctl daemon-reload`,
  }))
  const enabled = {
    run: `systemctl daemon-reload && systemctl enable ${unit}`,
    // Not `systemctl disable`: it fails where the unit is gone already.
    undo: `rm -f /etc/systemd/system/multi-user.target.wants/${unit}`,
  }
  return { steps: [...written, ...(written.length === 0 ? [] : [enabled])], files: [path], survivesReboot: true }
}
