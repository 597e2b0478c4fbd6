import { z } from 'zod'
import { AgentHello } from './agent.ts'
import { WireError } from './errors.ts'
import { DirectorProfile } from '../model/ssh.ts'

/** The steps of a connection in their order, as the operator sees them happen. */
export const connectStepIds = ['resolve', 'tcp', 'hostKey', 'auth', 'facts', 'agent', 'install', 'handshake'] as const
export const ConnectStep = z.object({
  id: z.enum(connectStepIds),
  state: z.enum(['pending', 'running', 'done', 'failed', 'skipped']),
  /** Key of a sentence in the locales (`connect.<id>.<detail>`), with its parameters: fingerprint, method, versions. */
  detail: z.string().nullable(),
  params: z.record(z.string(), z.union([z.string(), z.number()])),
  /** 0 to 1 while it runs and can say so. */
  progress: z.number().nullable(),
})

/** Something only the operator can answer. The connection waits. */
export const Question = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('hostKey'),
    id: z.string(),
    host: z.string(),
    port: z.number().int(),
    keyType: z.string(),
    /** `SHA256:…`, as ssh-keygen -lf prints it. */
    fingerprint: z.string(),
  }),
  z.object({ kind: z.literal('passphrase'), id: z.string(), keyFile: z.string(), wasWrong: z.boolean() }),
  z.object({ kind: z.literal('password'), id: z.string(), user: z.string(), host: z.string(), wasWrong: z.boolean() }),
  z.object({
    kind: z.literal('keyboard'),
    id: z.string(),
    host: z.string(),
    instructions: z.string(),
    prompts: z.array(z.object({ prompt: z.string(), echo: z.boolean() })),
  }),
  /** The agent is absent or older: what would be installed, where, as whom. */
  z.object({
    kind: z.literal('install'),
    id: z.string(),
    reason: z.enum(['missing', 'old', 'newer']),
    installedVersion: z.string().nullable(),
    version: z.string(),
    bytes: z.number(),
    /** Lines of what goes where and what is started. */
    actions: z.array(z.string()),
    asUser: z.string(),
    withSudo: z.boolean(),
  }),
])

/** `secrets`: passphrase, password or the answers of keyboard-interactive, in the order of the prompts. */
export const Answer = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('accept') }),
  z.strictObject({ kind: z.literal('reject') }),
  z.strictObject({ kind: z.literal('secrets'), secrets: z.array(z.string().max(4096)).max(16), remember: z.boolean() }),
])

export const Session = z.object({
  phase: z.enum(['disconnected', 'connecting', 'question', 'ready', 'reconnecting', 'failed', 'removing']),
  steps: z.array(ConnectStep),
  /**
   * In phase `question` the connection waits for it. In phase `ready` it is about another host (the key or password of
   * a real server or of a client host), and only what wanted to reach that host waits.
   */
  question: Question.nullable(),
  error: WireError.nullable(),
  /** While reconnecting: which try, and when the next one starts. */
  attempt: z.number().int(),
  retryInMs: z.number().nullable(),
  /** How the agent is spoken to. */
  transport: z.enum(['stream-local', 'exec']).nullable(),
  hello: AgentHello.nullable(),
  /** Director's wall clock minus the workstation's, half a round trip taken off. */
  clockSkewMs: z.number().nullable(),
  roundTripMs: z.number().nullable(),
  lostAtMs: z.number().nullable(),
})

export const DirectorEntry = z.object({ profile: DirectorProfile, session: Session })

export type ConnectStep = z.infer<typeof ConnectStep>
export type ConnectStepId = ConnectStep['id']
export type Question = z.infer<typeof Question>
export type Answer = z.infer<typeof Answer>
export type Session = z.infer<typeof Session>
export type DirectorEntry = z.infer<typeof DirectorEntry>
