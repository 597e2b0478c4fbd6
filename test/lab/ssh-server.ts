import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { machineCommand } from './machine-command.ts'

export interface SshServerOptions {
  /** Default 22. */
  readonly port?: number
  /** `AllowStreamLocalForwarding`. Default true, as in OpenSSH. */
  readonly streamLocalForwarding?: boolean
  /** `AllowTcpForwarding`. Default true, as in OpenSSH. A jump host needs it. */
  readonly tcpForwarding?: boolean
}

/** Makes an ed25519 key pair without a passphrase at `path` and `path`.pub. */
export const makeKey = async (path: string, comment: string): Promise<void> => {
  await machineCommand(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', path])
}

/** `SHA256:…` of a public key line, as `ssh-keygen -lf` prints it. */
export const fingerprintOf = (publicKey: string): string => {
  const blob = publicKey.trim().split(/\s+/)[1]
  if (blob === undefined) throw new Error(`not a public key line: "${publicKey.trim()}"`)
  return `SHA256:${createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64').replace(/=+$/, '')}`
}

export const readFingerprint = async (publicKeyFile: string): Promise<string> =>
  fingerprintOf(await readFile(publicKeyFile, 'utf8'))

/** Where a host keeps what the lab gave it. */
export const hostFilesDir = '/run/lab'

/**
 * Configuration of a host's sshd. PAM and the strict mode checks are off because the machine's PAM set-up is not the
 * lab's, and DNS because there is none; everything else is OpenSSH's default, limits included.
 */
export const sshdConfig = (addresses: readonly string[], options: SshServerOptions): string =>
  [
    `Port ${options.port ?? 22}`,
    ...addresses.map((address) => `ListenAddress ${address}`),
    `HostKey ${hostFilesDir}/ssh_host_ed25519_key`,
    'PidFile /run/sshd.pid',
    'UsePAM no',
    'UseDNS no',
    'StrictModes no',
    'LogLevel VERBOSE',
    'PermitRootLogin prohibit-password',
    'AuthorizedKeysFile .ssh/authorized_keys',
    'Subsystem sftp internal-sftp',
    `AllowStreamLocalForwarding ${options.streamLocalForwarding === false ? 'no' : 'yes'}`,
    `AllowTcpForwarding ${options.tcpForwarding === false ? 'no' : 'yes'}`,
    '',
  ].join('\n')
