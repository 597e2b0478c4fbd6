import { z } from 'zod'
import { expected } from './issue.ts'
import { Port } from './address.ts'
import { plainText } from './service.ts'

const HostName = z.string(expected('hostName')).regex(/^(?!-)[A-Za-z0-9._:%-]{1,255}$/, expected('hostName'))
const UserName = z.string(expected('userName')).regex(/^(?!-)[^\s:/\p{Cc}]{1,64}$/u, expected('userName'))

const hop = {
  host: HostName,
  port: Port.default(22),
  user: UserName,
  /** Path of a private key on the workstation; left out: the SSH agent, then the usual files in ~/.ssh. */
  keyFile: plainText(1024).optional(),
}

/** Where and as whom to log in. Secrets are asked for when they are needed and are never part of it. */
export const SshTarget = z.strictObject({ ...hop, jump: z.strictObject(hop).optional() })

/** How a real server is reached for its checks. */
export const RealServerAccess = z.discriminatedUnion('kind', [
  /** Its address, with the director's user and key, from the workstation. */
  z.strictObject({ kind: z.literal('direct') }),
  /** The same, with the director as jump host. */
  z.strictObject({ kind: z.literal('throughDirector') }),
  z.strictObject({ kind: z.literal('custom'), target: SshTarget }),
  /** No SSH: its checks read "not checked". */
  z.strictObject({ kind: z.literal('none') }),
])

export const DirectorId = z.string().regex(/^[a-z0-9-]{1,64}$/)

export const DirectorProfile = z.strictObject({
  id: DirectorId,
  name: plainText(60),
  target: SshTarget,
  /** Coloured frame, typed confirmation for what cannot be undone. */
  isProduction: z.boolean().default(false),
  /** Directors with the same name here belong together: they carry one document, and each other's VIPs. */
  cluster: z
    .string(expected('clusterName'))
    .regex(/^(?=.*\S)[^\p{Cc}\p{Zl}\p{Zp}]{1,60}$/u, expected('clusterName'))
    .optional(),
})

/** A host that proofs can be run from, since a director cannot test its own VIP in DR. */
export const ClientHost = z.strictObject({ id: DirectorId, name: plainText(60), target: SshTarget })

export type SshTarget = z.infer<typeof SshTarget>
export type RealServerAccess = z.infer<typeof RealServerAccess>
export type DirectorProfile = z.infer<typeof DirectorProfile>
export type ClientHost = z.infer<typeof ClientHost>
