import path from 'node:path'
import ssh2, {
  type BaseAgent,
  type IdentityCallback,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
} from 'ssh2'
import { AppError } from '../../../core/contract/errors.ts'
import type { SshDialog } from '../ports.ts'
import { type KeyFile, defaultKeyNames, readKeyFile } from './key-files.ts'
import type { ResolvedHop } from './ssh-config-file.ts'

/** A key that may be offered to a server: from the SSH agent or from a file. */
export interface Credential {
  /** How the step names it. */
  readonly detail: 'agent' | 'keyFile'
  readonly label: string
  /** Holds exactly one identity; asks for the passphrase only when the server has accepted the public key. */
  readonly agent: BaseAgent
  /** True once the server accepted the key and a signature was made: what follows is no plain refusal. */
  wasAccepted(): boolean
}

/** Where the keys of this workstation are. */
export interface KeySources {
  readonly home: string
  /** Socket or pipe of the SSH agent; null where there is none. */
  readonly agentSocket: string | null
}

const passphraseTries = 3

/** Everything that the operator's keys offer for one hop, in the order in which it is tried: agent, then files. */
export async function credentialsFor(hop: ResolvedHop, sources: KeySources, dialog: SshDialog): Promise<Credential[]> {
  const wanted =
    hop.keyFiles.length > 0 ? hop.keyFiles : defaultKeyNames.map((name) => path.join(sources.home, '.ssh', name))
  const files: KeyFile[] = []
  for (const file of wanted) {
    try {
      const keyFile = await readKeyFile(file)
      if (keyFile !== null) files.push(keyFile)
      else if (hop.keyFiles.length > 0) {
        throw new AppError('SSH_AUTH', `The key file ${file} does not exist.`, {
          hint: 'Correct the path in the profile, or leave it out to use the SSH agent and the usual files in ~/.ssh.',
        })
      }
    } catch (error) {
      // A file that was asked for must work; one of the usual files that does not is only worth a line.
      if (hop.onlyTheseKeys || !(error instanceof AppError)) throw error
      dialog.log(error.message)
    }
  }
  const inAgent = await agentCredentials(sources.agentSocket, dialog)
  const isOf = (file: KeyFile) => (c: { key: ParsedKey }) => file.publicKey?.equals(c.key.getPublicSSH()) === true
  const fromAgent = hop.onlyTheseKeys ? inAgent.filter((c) => files.some((file) => isOf(file)(c))) : inAgent
  const fromFiles = files.filter((file) => !fromAgent.some(isOf(file)))
  return [...fromAgent.map(({ credential }) => credential), ...fromFiles.map((file) => fileCredential(file, dialog))]
}

async function agentCredentials(
  socket: string | null,
  dialog: SshDialog,
): Promise<{ key: ParsedKey; credential: Credential }[]> {
  if (socket === null) return []
  const agent = ssh2.createAgent(socket)
  const keys = await new Promise<ParsedKey[]>((resolve) => {
    agent.getIdentities((error, identities) => {
      if (error) dialog.log(`The SSH agent did not answer: ${error.message}.`)
      resolve(((identities ?? []) as unknown[]).map(publicKeyOf).filter((key) => key !== null))
    })
  })
  return keys.map((key) => ({
    key,
    credential: credential(
      'agent',
      key.comment === '' ? key.type : key.comment,
      key,
      (data, options) =>
        new Promise((resolve, reject) => {
          agent.sign(key, data, options, (error, signature) =>
            error || signature === undefined ? reject(error ?? new Error('no signature')) : resolve(signature),
          )
        }),
    ),
  }))
}

function publicKeyOf(identity: unknown): ParsedKey | null {
  const inner = identity instanceof Object && 'pubKey' in identity ? identity.pubKey : identity
  const key = ssh2.utils.parseKey(inner as Buffer)
  return key instanceof Error ? null : key
}

function fileCredential(file: KeyFile, dialog: SshDialog): Credential {
  let unlocked: ParsedKey | null = null
  const unlockedKey = async (): Promise<ParsedKey> => (unlocked ??= await askUntilUnlocked(file, dialog))
  const sign = async (data: Buffer, options: SigningRequestOptions) => {
    const signature: Buffer | Error = (await unlockedKey()).sign(data, options.hash)
    if (signature instanceof Error) throw signature
    return signature
  }
  if (file.publicKey === null) return credential('keyFile', file.file, unlockedKey, sign)
  const publicKey = ssh2.utils.parseKey(sshPublicLine(file.publicKey))
  return credential('keyFile', file.file, publicKey instanceof Error ? unlockedKey : publicKey, sign)
}

/** `type base64`, which parseKey reads; it takes no bare blob. */
function sshPublicLine(blob: Buffer): string {
  return `${blob.toString('latin1', 4, 4 + blob.readUInt32BE(0))} ${blob.toString('base64')}`
}

async function askUntilUnlocked(file: KeyFile, dialog: SshDialog): Promise<ParsedKey> {
  const atOnce = file.unlock(null)
  if (typeof atOnce !== 'string') return atOnce
  for (let attempt = 0; attempt < passphraseTries; attempt++) {
    const answer = await dialog.ask({ kind: 'passphrase', keyFile: file.file, wasWrong: attempt > 0 })
    if (answer.kind !== 'secrets') throw new KeySkipped(`${file.file} was left out`)
    const key = file.unlock(answer.secrets[0] ?? '')
    if (typeof key !== 'string') return key
  }
  throw new AppError('SSH_PASSPHRASE', `The passphrase of ${file.file} was wrong ${passphraseTries} times.`, {
    hint: 'Connect again to have three more tries, or load the key into the SSH agent with ssh-add.',
    retryable: true,
  })
}

/** The operator gave no passphrase: the next credential is tried. */
export class KeySkipped extends Error {}

function credential(
  detail: Credential['detail'],
  label: string,
  key: ParsedKey | (() => Promise<ParsedKey>),
  sign: (data: Buffer, options: SigningRequestOptions) => Promise<Buffer>,
): Credential {
  let wasAccepted = false
  const identities = async (): Promise<ParsedKey[]> => [typeof key === 'function' ? await key() : key]
  return {
    detail,
    label,
    wasAccepted: () => wasAccepted,
    agent: new (class OneKeyAgent extends ssh2.BaseAgent<ParsedKey> {
      override getIdentities(callback: IdentityCallback<ParsedKey>): void {
        identities().then(
          (keys) => callback(undefined, keys),
          (error: Error) => callback(error),
        )
      }
      override sign(_key: ParsedKey, data: Buffer, options: SigningRequestOptions | SignCallback, done?: SignCallback) {
        const callback = typeof options === 'function' ? options : done
        const wanted = typeof options === 'function' ? {} : options
        wasAccepted = true
        // A server that names no signature algorithms would get SHA-1 from ssh2 for an RSA key.
        const signed =
          wanted.hash === 'sha1'
            ? Promise.reject(new Error('the server accepts RSA keys with SHA-1 signatures only, which are not made'))
            : sign(data, wanted)
        signed.then(
          (signature) => callback?.(undefined, signature),
          (error: Error) => callback?.(error),
        )
      }
    })(),
  }
}
