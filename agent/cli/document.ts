import { readFileSync } from 'node:fs'
import { parseClusterText, withLines } from '../../core/formats/yaml/parse.ts'
import { AppError, fromWireError, toWireError } from '../../core/contract/errors.ts'
import type { ClusterSpec } from '../../core/model/cluster-spec.ts'
import { formatIssue, type Issue } from '../../core/model/issue.ts'

/** A document that a command was given. */
export interface DocumentFile {
  readonly spec: ClusterSpec
  /** The same error, with the lines of this file at its issues. */
  readonly located: (error: unknown) => unknown
}

/** Reads YAML or JSON from a file or, for `-`, from standard input. Throws AppError BAD_INPUT. */
export function readDocument(file: string): DocumentFile {
  const text = readText(file)
  const parsed = parseClusterText(text)
  if (!parsed.ok) throw badDocument(file, parsed.issues)
  return {
    spec: parsed.value,
    located: (error) =>
      error instanceof AppError && error.issues !== undefined
        ? fromWireError({ ...toWireError(error), issues: withLines(text, error.issues) })
        : error,
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new AppError('BAD_INPUT', `${file === '-' ? 'Standard input' : file} cannot be read: ${reason}`, {
      cause: error,
    })
  }
}

const badDocument = (file: string, issues: readonly Issue[]): AppError =>
  new AppError('BAD_INPUT', `${file}: ${issues.map(formatIssue).join('; ')}`, { issues: [...issues] })
