import { z } from 'zod'
import { Issue } from '../model/issue.ts'

/** Every way a call can fail. The renderer has a sentence for each (`error.*` in its locales). */
export const errorCodes = [
  'BAD_INPUT', // the input does not fit the contract or the model; `issues` says where
  'NO_METHOD', // the other side does not know the method: older agent or a bad peer
  'FORBIDDEN', // the socket or the socket's group may only read
  'CONFLICT', // base revision outdated; `details.winner` names who was first
  'BUSY', // another apply is running or awaits its confirmation
  'NOT_FOUND', // revision, service, director or draft does not exist
  'REFUSED', // the director cannot or may not do it; the message says why
  'KERNEL', // the kernel said no; `details.errno` by name
  'TIMEOUT',
  'CANCELLED',
  'CLOSED', // the connection ended before the answer
  'OFFLINE', // the director is not connected
  'SSH_UNREACHABLE', // name, route or TCP failed
  'SSH_HOST_KEY_CHANGED', // pinned key differs: no way around
  'SSH_HOST_KEY_REJECTED', // the operator said no
  'SSH_AUTH', // no offered method was accepted
  'SSH_PASSPHRASE', // the key file needs its passphrase, or it was wrong
  'SSH_JUMP', // the jump host failed; the message says how
  'HOST_UNFIT', // a check before the installation failed; the message names what is missing
  'AGENT_MISSING',
  'AGENT_OLD', // contract version differs
  'TOO_LARGE', // a frame over the limit
  'INTERNAL', // a defect; details are in the log
] as const
export const ErrorCode = z.enum(errorCodes)
export type ErrorCode = z.infer<typeof ErrorCode>

/** An error as it crosses a wire. */
export const WireError = z.object({
  code: ErrorCode,
  /** One English sentence: what happened and, as far as known, why. */
  message: z.string(),
  /** What to do next, one English sentence. */
  hint: z.string().optional(),
  issues: z.array(Issue).optional(),
  /** Facts to fold out and copy: verifier log, stderr, paths. Never a secret. */
  details: z.record(z.string(), z.string()).optional(),
  retryable: z.boolean().optional(),
})
export type WireError = z.infer<typeof WireError>

/** The one error class of all programs: a code, a sentence, a next step. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly issues: readonly Issue[] | undefined
  readonly details: Readonly<Record<string, string>> | undefined
  readonly retryable: boolean

  constructor(
    code: ErrorCode,
    message: string,
    more: Partial<Omit<WireError, 'code' | 'message'>> & { cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause })
    this.name = 'AppError'
    this.code = code
    this.hint = more.hint
    this.issues = more.issues
    this.details = more.details
    this.retryable = more.retryable ?? false
  }
}

/** For the wire. What is not an AppError is a defect: its text stays in the log of the side where it happened. */
export function toWireError(error: unknown): WireError {
  if (!(error instanceof AppError))
    return { code: 'INTERNAL', message: 'An unexpected error occurred; the log has the details.' }
  return {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.issues === undefined ? {} : { issues: [...error.issues] }),
    ...(error.details === undefined ? {} : { details: { ...error.details } }),
    retryable: error.retryable,
  }
}

export function fromWireError(wire: WireError): AppError {
  return new AppError(wire.code, wire.message, wire)
}
