import { AppError, type ErrorCode, toWireError, type WireError } from '../../core/contract/errors.ts'
import { formatIssue } from '../../core/model/issue.ts'

/** Exit codes of `signalbox`, as `signalbox --help` tells them. */
export const exitCodes = { ok: 0, failed: 1, badInput: 2, unreachable: 3 } as const

/** Codes that mean: nobody answers on the socket, or it may not be opened. */
const unreachable: readonly ErrorCode[] = ['OFFLINE', 'CLOSED', 'TIMEOUT']

export function exitCodeOf({ code }: Pick<WireError, 'code'>): number {
  if (code === 'BAD_INPUT') return exitCodes.badInput
  return unreachable.includes(code) ? exitCodes.unreachable : exitCodes.failed
}

/** What stdout and stderr are to a command. */
export interface Output {
  readonly isJson: boolean
  print(text: string): void
  complain(text: string): void
}

/** Prints a value for programs, or lines for people. */
export function show(output: Output, value: unknown, lines: () => readonly string[]): void {
  if (output.isJson) output.print(JSON.stringify(value))
  else for (const line of lines()) output.print(line)
}

/** Says what went wrong on stderr: one JSON object with --json, else sentences. Returns the exit code. */
export function complain(output: Output, error: unknown): number {
  const wire = error instanceof AppError ? toWireError(error) : unexpected(error)
  if (output.isJson) output.complain(JSON.stringify(wire))
  else for (const line of sentences(wire)) output.complain(line)
  return exitCodeOf(wire)
}

/** On the operator's own terminal a defect may say what it is. */
const unexpected = (error: unknown): WireError => ({
  code: 'INTERNAL',
  message: error instanceof Error ? (error.stack ?? error.message) : String(error),
})

function sentences({ message, hint, issues = [] }: WireError): string[] {
  const head = issues.length > 0 ? issues.map((issue) => `signalbox: ${formatIssue(issue)}`) : [`signalbox: ${message}`]
  return hint === undefined ? head : [...head, hint]
}
