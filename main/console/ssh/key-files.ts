import { readFile } from 'node:fs/promises'
import ssh2, { type ParsedKey } from 'ssh2'
import { AppError } from '../../../core/contract/errors.ts'

/** A private key on the workstation, which may need its passphrase before it can sign. */
export interface KeyFile {
  readonly file: string
  /** Null where the public half cannot be read without the passphrase (old PEM files without a .pub). */
  readonly publicKey: Buffer | null
  /** Decrypts. `locked`: a passphrase is needed; `wrong`: this one is not it. */
  unlock(passphrase: string | null): ParsedKey | 'locked' | 'wrong'
}

/** The usual files, in the order in which ssh tries them. */
export const defaultKeyNames = ['id_ed25519', 'id_ecdsa', 'id_rsa'] as const

/** Reads a key file; null where there is none. A file that is no usable key is an error that names it. */
export async function readKeyFile(file: string): Promise<KeyFile | null> {
  let content: Buffer
  try {
    content = await readFile(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw new AppError('SSH_AUTH', `The key file ${file} could not be read: ${code ?? 'unknown error'}.`, {
      hint: `Check who owns it and its permissions (chmod 600 ${file}).`,
    })
  }
  const parse = (passphrase?: string): ParsedKey | Error => {
    // The types say one key, and so it is for every format but the (never written) OpenSSH file with several.
    const parsed = ssh2.utils.parseKey(content, passphrase) as ParsedKey | ParsedKey[] | Error
    return Array.isArray(parsed) ? (parsed[0] ?? new Error('no key in it')) : parsed
  }
  const plain = parse()
  if (plain instanceof Error) {
    if (!isLocked(plain)) {
      throw new AppError('SSH_AUTH', `The key file ${file} cannot be used: ${plain.message}.`, {
        hint: 'Ed25519, ECDSA and RSA keys work; hardware keys (sk-…) work through the SSH agent of the system only.',
      })
    }
    return { file, publicKey: await publicHalf(file, content), unlock: (passphrase) => unlock(parse, passphrase) }
  }
  if (!plain.isPrivateKey()) {
    throw new AppError('SSH_AUTH', `The key file ${file} holds a public key; the private one is needed.`, {
      hint: `Give ${file.replace(/\.pub$/, '')}.`,
    })
  }
  return { file, publicKey: plain.getPublicSSH(), unlock: () => plain }
}

const isLocked = (error: Error): boolean => error.message.includes('no passphrase given')

function unlock(parse: (passphrase?: string) => ParsedKey | Error, passphrase: string | null) {
  if (passphrase === null) return 'locked'
  const key = parse(passphrase)
  return key instanceof Error ? 'wrong' : key
}

/** The public key of a locked file: OpenSSH's own format carries it in clear, others have it in a .pub beside it. */
async function publicHalf(file: string, content: Buffer): Promise<Buffer | null> {
  const inside = publicKeyInOpenSshFile(content.toString('latin1'))
  if (inside !== null) return inside
  try {
    const key = ssh2.utils.parseKey(await readFile(`${file}.pub`))
    return key instanceof Error ? null : key.getPublicSSH()
  } catch {
    return null
  }
}

/** PROTOCOL.key: magic, cipher name, KDF name, KDF options, number of keys, then the first public key. */
function publicKeyInOpenSshFile(text: string): Buffer | null {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END/.exec(text)?.[1]
  if (body === undefined) return null
  const data = Buffer.from(body, 'base64')
  const magic = 'openssh-key-v1\0'
  if (data.toString('latin1', 0, magic.length) !== magic) return null
  let at = magic.length
  const next = (): Buffer => {
    const length = data.readUInt32BE(at)
    const field = data.subarray(at + 4, at + 4 + length)
    at += 4 + length
    return field
  }
  try {
    next()
    next()
    next()
    at += 4
    return Buffer.from(next())
  } catch {
    return null
  }
}
