import type { ErrorCode } from '../../../core/contract/errors.ts'

/** Headline of each error code; the cause in its own words stands below it. */
export const errorSentences: Readonly<Record<ErrorCode, string>> = {
  BAD_INPUT: 'The input does not fit.',
  NO_METHOD: 'The agent does not know this request.',
  FORBIDDEN: 'This login may only read.',
  CONFLICT: 'Somebody else changed the director in the meantime.',
  BUSY: 'Another change is running or awaits its confirmation.',
  NOT_FOUND: 'What was asked for does not exist.',
  REFUSED: 'The director refused.',
  KERNEL: "The director's kernel refused.",
  TIMEOUT: 'No answer in time.',
  CANCELLED: 'The request was cancelled.',
  CLOSED: 'The connection ended before the answer.',
  OFFLINE: 'The director is not connected.',
  SSH_UNREACHABLE: 'The host cannot be reached.',
  SSH_HOST_KEY_CHANGED: 'The host key has changed.',
  SSH_HOST_KEY_REJECTED: 'The host key was not accepted.',
  SSH_AUTH: 'The login was refused.',
  SSH_PASSPHRASE: 'The key file could not be opened.',
  SSH_JUMP: 'The jump host failed.',
  HOST_UNFIT: 'The agent cannot be installed on this host.',
  AGENT_MISSING: 'There is no agent on this host.',
  AGENT_OLD: 'The agent has another version.',
  TOO_LARGE: 'The message is too large.',
  INTERNAL: 'An unexpected error occurred.',
}
