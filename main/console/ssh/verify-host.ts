import { AppError } from '../../../core/contract/errors.ts'
import { quoteWords } from '../../../core/model/shell-quote.ts'
import type { SshDialog } from '../ports.ts'
import type { KnownHostsFiles } from './known-hosts-files.ts'
import {
  type KnownHostLine,
  fingerprintOf,
  formatKnownHost,
  judgeHostKey,
  keyTypeOf,
  knownHostName,
  parseKnownHosts,
} from './known-hosts.ts'

/** Verifies the keys of one hop over all attempts of a login. */
export interface HostVerifier {
  /** True where the key may be used. Asks when it is not known; a second attempt does not ask again. */
  verify(key: Buffer): Promise<boolean>
  /** Why the last key was refused. */
  failure(): AppError | null
  /** Pins an accepted key: called when the server has proved that it holds the private half. */
  keep(): Promise<void>
  /** What the step says after success. */
  outcome(): { detail: 'known' | 'pinned'; params: { keyType: string; fingerprint: string } }
}

export function hostVerifier(
  host: string,
  port: number,
  pinnedLines: readonly KnownHostLine[],
  files: KnownHostsFiles,
  dialog: SshDialog,
): HostVerifier {
  const name = knownHostName(host, port)
  let accepted: Buffer | null = null
  let isKept = false
  let failure: AppError | null = null
  let last = Buffer.alloc(0)

  const lines = (): KnownHostLine[] => [
    ...pinnedLines,
    ...(accepted === null ? [] : parseKnownHosts(formatKnownHost(name, accepted), files.ownFile)),
  ]

  const ask = async (key: Buffer, certAuthority: boolean): Promise<boolean> => {
    const question = { host, port, keyType: keyTypeOf(key), fingerprint: fingerprintOf(key) }
    if (certAuthority) {
      dialog.step('hostKey', 'running', 'certAuthority', { host })
      dialog.log(`known_hosts names a certificate authority for ${name}; host certificates are not supported.`)
    } else dialog.step('hostKey', 'running', 'asking', { host, fingerprint: question.fingerprint })
    const answer = await dialog.ask({ kind: 'hostKey', ...question })
    if (answer.kind !== 'accept') {
      failure = new AppError('SSH_HOST_KEY_REJECTED', `The key of ${name} was not accepted.`, {
        hint: 'Compare the fingerprint with the one that the host prints: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub',
        details: { host: name, fingerprint: question.fingerprint },
      })
      return false
    }
    accepted = key
    return true
  }

  return {
    async verify(presented) {
      // ssh2 hands out a slice of its receive buffer, which it uses again.
      const key = Buffer.from(presented)
      last = key
      const verdict = judgeHostKey(lines(), name, key)
      switch (verdict.kind) {
        case 'known':
          return true
        case 'unknown':
          return ask(key, verdict.certAuthority)
        case 'changed':
          failure = changedError(name, key, verdict.pinned)
          return false
        case 'revoked':
          failure = revokedError(name, key, verdict.line)
          return false
      }
    },
    failure: () => failure,
    async keep() {
      if (accepted === null || isKept) return
      isKept = true
      await files.pin(name, accepted)
      dialog.log(`The key ${fingerprintOf(accepted)} of ${name} was added to ${files.ownFile}.`)
    },
    outcome: () => ({
      detail: accepted === null ? 'known' : 'pinned',
      params: { keyType: keyTypeOf(last), fingerprint: fingerprintOf(last) },
    }),
  }
}

function changedError(name: string, key: Buffer, pinned: readonly KnownHostLine[]): AppError {
  const [line] = pinned
  const where = pinned.map(({ file, line: number }) => `${file}:${number}`).join(', ')
  return new AppError(
    'SSH_HOST_KEY_CHANGED',
    `The key of ${name} is not the one that was pinned: another host may answer in its place. The connection was closed.`,
    {
      hint: `Ask whoever runs the host. If its key was changed on purpose, remove the old one with: ${quoteWords(['ssh-keygen', '-f', line?.file ?? '', '-R', name])}`,
      details: {
        host: name,
        presented: `${keyTypeOf(key)} ${fingerprintOf(key)}`,
        pinned: pinned.map(({ keyType, key: blob }) => `${keyType} ${fingerprintOf(blob)}`).join(', '),
        pinnedIn: where,
      },
    },
  )
}

function revokedError(name: string, key: Buffer, line: KnownHostLine): AppError {
  return new AppError('SSH_HOST_KEY_CHANGED', `The key of ${name} is marked as revoked. The connection was closed.`, {
    hint: `The mark stands in ${line.file}, line ${line.line}. Ask whoever runs the host.`,
    details: {
      host: name,
      presented: `${keyTypeOf(key)} ${fingerprintOf(key)}`,
      pinned: '@revoked',
      pinnedIn: `${line.file}:${line.line}`,
    },
  })
}
