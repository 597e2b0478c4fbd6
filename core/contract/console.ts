import { z } from 'zod'
import { AppliedFix, CheckedHost, Finding } from '../diagnosis/finding.ts'
import { HostFacts } from '../diagnosis/facts.ts'
import { HostAddress, Port, PortOrAny } from '../model/address.ts'
import { ClusterSpec } from '../model/cluster-spec.ts'
import { DataplaneName, ForwardingMethod, Protocol } from '../model/dataplane.ts'
import { Draft } from '../model/draft.ts'
import { Issue } from '../model/issue.ts'
import { ProofRequest } from '../model/proof.ts'
import { Announce } from '../model/service.ts'
import { Answer, DirectorEntry } from './session.ts'
import { ClientHost, DirectorId, DirectorProfile, RealServerAccess, SshTarget } from '../model/ssh.ts'
import { agentContract } from './agent.ts'
import { clusterMethods } from './clusters.ts'
import { method, stream } from './define.ts'
import { WireError } from './errors.ts'
import { forwarded } from './forwarded.ts'

const Empty = z.strictObject({})
const Done = z.strictObject({})
const ForDirector = z.strictObject({ directorId: DirectorId })

const preferenceFields = {
  theme: z.enum(['dark', 'light', 'system']),
  language: z.enum(['en', 'zh-CN', 'system']),
  times: z.enum(['local', 'utc']),
  /** Ids of cards that were dismissed; they stay so. */
  dismissed: z.array(z.string().max(64)).max(200),
}
export const Preferences = z.strictObject({
  theme: preferenceFields.theme.default('system'),
  language: preferenceFields.language.default('system'),
  times: preferenceFields.times.default('local'),
  dismissed: preferenceFields.dismissed.default([]),
})
/** Fields to change. Not `Preferences.partial()`: its defaults would reset what was left out. */
const PreferencesChange = z.strictObject(preferenceFields).partial()

/** What the person who started the console wants the operator to know first; the demo gives its lab's addresses here. */
export const Welcome = z.strictObject({
  id: z.string().max(64),
  directorId: DirectorId.nullable(),
  vip: HostAddress.nullable(),
  realServers: z.array(z.strictObject({ address: HostAddress, port: Port })).max(64),
  /** In a network behind the director, which is their gateway: for NAT and FullNAT. */
  realServersBehind: z
    .array(z.strictObject({ address: HostAddress, port: Port }))
    .max(64)
    .optional(),
  /** Fingerprint printed in the terminal, for comparison. */
  fingerprint: z.string().max(128).nullable(),
})

export const AppInfo = z.object({
  version: z.string(),
  platform: z.string(),
  /** What this shell can do; the page asks for capabilities, never "am I Electron?". */
  capabilities: z.object({
    /** Secrets outlive a restart. */
    keepsSecrets: z.boolean(),
    /** Why not, where they do not. */
    keepsSecretsReason: z.string().nullable(),
  }),
  preferences: Preferences,
  welcome: Welcome.nullable(),
})

/** Enough of a service to check its hosts; names and weights do not matter here. */
export const CheckRequest = z.strictObject({
  directorId: DirectorId,
  vip: HostAddress,
  port: PortOrAny,
  protocol: Protocol.default('tcp'),
  forwarding: ForwardingMethod,
  dataplane: DataplaneName,
  allowOwnAddress: z.boolean().default(false),
  /** True where the service is live already: then the director must own the VIP. */
  isLive: z.boolean().default(false),
  /** Decides which host must carry the VIP, and whether ARP matters. */
  announce: Announce.default('arp'),
  realServers: z.array(z.strictObject({ address: HostAddress, port: PortOrAny, access: RealServerAccess })).max(1000),
  /** Check only these hosts; left out: all. */
  hosts: z.array(CheckedHost).optional(),
})

export const CheckedHostReport = z.object({
  host: CheckedHost,
  state: z.enum(['running', 'done', 'failed']),
  findings: z.array(Finding),
  /** Why the host could not be read, where it could not. */
  error: WireError.nullable(),
  takenAtMs: z.number().nullable(),
})

export const ProofFrom = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('workstation') }),
  z.strictObject({ kind: z.literal('host'), id: DirectorId }),
])

export const consoleContract = {
  'app.info': method({ input: Empty, output: AppInfo }),
  'preferences.set': method({ input: PreferencesChange, output: Preferences, access: 'change' }),

  /** Every profile with its session; pushed whole on each change. */
  'directors.watch': stream({ input: Empty, item: z.array(DirectorEntry) }),
  /** Adds a profile, or replaces the one with this id (only while it is disconnected). */
  'directors.save': method({ input: z.strictObject({ profile: DirectorProfile }), output: Done, access: 'change' }),
  'directors.forget': method({ input: ForDirector, output: Done, access: 'change' }),
  /** Starts connecting; what follows arrives by directors.watch. */
  'directors.connect': method({ input: ForDirector, output: Done, access: 'change' }),
  'directors.disconnect': method({ input: ForDirector, output: Done, access: 'change' }),
  'directors.answer': method({
    input: z.strictObject({ directorId: DirectorId, questionId: z.string(), answer: Answer }),
    output: Done,
    access: 'change',
  }),
  /** Takes the agent off the director; the steps arrive by directors.watch. */
  'directors.removeAgent': method({
    input: z.strictObject({ directorId: DirectorId, keepTraffic: z.boolean() }),
    output: z.object({ removed: z.array(z.string()) }),
    timeoutMs: 120_000,
    access: 'change',
  }),
  /** What was said and done on this connection, redacted, for copying. */
  'directors.log': method({ input: ForDirector, output: z.object({ text: z.string() }) }),

  /** Hosts of ~/.ssh/config, without patterns. */
  'ssh.hosts': method({ input: Empty, output: z.array(z.object({ alias: z.string(), target: SshTarget })) }),
  'clientHosts.list': method({ input: Empty, output: z.array(ClientHost) }),
  'clientHosts.save': method({ input: z.strictObject({ host: ClientHost }), output: Done, access: 'change' }),
  'clientHosts.forget': method({ input: z.strictObject({ id: DirectorId }), output: Done, access: 'change' }),
  /** How the real servers of a director are reached; by address. */
  'access.list': method({ input: ForDirector, output: z.record(z.string(), RealServerAccess) }),
  'access.set': method({
    input: z.strictObject({ directorId: DirectorId, address: HostAddress, access: RealServerAccess }),
    output: Done,
    access: 'change',
  }),

  /**
   * Reads each host and judges it; one item when a host starts, one when it is done. The director's comes again at the
   * end, when the real servers are known too.
   */
  'checks.run': stream({ input: CheckRequest, item: CheckedHostReport, access: 'change' }),
  /** Carries out fixes (ids of the last findings for the same request), then checks those hosts again. */
  'checks.fix': stream({
    input: z.strictObject({ request: CheckRequest, fixIds: z.array(z.string().max(128)).min(1).max(2000) }),
    item: CheckedHostReport,
    access: 'change',
  }),
  'fixes.list': method({ input: ForDirector, output: z.array(AppliedFix) }),
  'fixes.undo': method({
    input: z.strictObject({ directorId: DirectorId, ids: z.array(z.string()).min(1).max(2000) }),
    output: z.object({ undone: z.array(z.string()), failed: z.array(z.object({ id: z.string(), error: WireError })) }),
    timeoutMs: 120_000,
    access: 'change',
  }),
  'facts.read': method({
    input: z.strictObject({ directorId: DirectorId, host: CheckedHost }),
    output: HostFacts,
    timeoutMs: 60_000,
    access: 'change',
  }),

  /** Real requests through a VIP; one item for each request. */
  'proof.run': stream({
    input: z.strictObject({
      directorId: DirectorId,
      vip: HostAddress,
      port: Port,
      from: ProofFrom,
      requests: z.int().min(1).max(1000),
    }),
    item: ProofRequest,
    access: 'change',
  }),

  'drafts.list': method({ input: ForDirector, output: z.array(Draft) }),
  'drafts.save': method({ input: z.strictObject({ draft: Draft }), output: Done, access: 'change' }),
  'drafts.remove': method({ input: z.strictObject({ id: z.string() }), output: Done, access: 'change' }),

  'share.export': method({
    input: z.strictObject({ spec: ClusterSpec, format: z.enum(['yaml', 'json']) }),
    output: z.object({ text: z.string(), fileName: z.string() }),
  }),
  /** Reads a file's text; issues carry the line where it is known. */
  'share.parse': method({
    input: z.strictObject({ text: z.string().max(4_000_000) }),
    output: z.object({ spec: ClusterSpec.nullable(), issues: z.array(Issue) }),
  }),

  ...clusterMethods,
  ...forwarded(agentContract),
} as const

export type ConsoleContract = typeof consoleContract
export type Preferences = z.infer<typeof Preferences>
export type Welcome = z.infer<typeof Welcome>
export type AppInfo = z.infer<typeof AppInfo>
export type CheckRequest = z.infer<typeof CheckRequest>
export type CheckedHostReport = z.infer<typeof CheckedHostReport>
export type ProofFrom = z.infer<typeof ProofFrom>
