import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LabHost } from './lab-host.ts'

/**
 * Writes the configuration for `ssh -F FILE HOST` with the host keys in `known_hosts` beside it. It names everything
 * that ssh would else take from the operator's account, so nothing there is read or written.
 */
export const writeSshClientConfig = async (
  stateDir: string,
  configFile: string,
  keyFile: string,
  hosts: readonly LabHost[],
): Promise<void> => {
  const knownHosts = join(stateDir, 'known_hosts')
  const lines: string[] = []
  const keys: string[] = []
  for (const host of hosts) {
    const address = host.addresses.management ?? host.addresses.data
    lines.push(`Host ${host.name}`, `  HostName ${address}`, `  Port ${host.sshPort}`)
    if (host.addresses.management === undefined) lines.push('  ProxyJump client')
    const [type, blob] = (await readFile(host.publicKeyFile, 'utf8')).split(' ')
    keys.push(`${host.sshPort === 22 ? address : `[${address}]:${host.sshPort}`} ${type} ${blob}`)
  }
  lines.push(
    'Host *',
    '  User root',
    `  IdentityFile ${keyFile}`,
    '  IdentitiesOnly yes',
    '  IdentityAgent none',
    `  UserKnownHostsFile ${knownHosts}`,
    '  GlobalKnownHostsFile none',
    '  UpdateHostKeys no',
    '  StrictHostKeyChecking yes',
    '  BatchMode yes',
  )
  await writeFile(knownHosts, `${keys.join('\n')}\n`, { mode: 0o600 })
  await writeFile(configFile, `${lines.join('\n')}\n`, { mode: 0o600 })
}
