import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { maxDocumentLength, parseClusterText, withLines } from '../../core/formats/yaml/parse.ts'
import { AppError, fromWireError, toWireError } from '../../core/contract/errors.ts'
import type { ClusterSpec } from '../../core/model/cluster-spec.ts'
import { formatIssue, type Issue } from '../../core/model/issue.ts'
import { textOfBytes } from '../../core/model/utf8.ts'

/** A document that a command was given. */
export interface DocumentFile {
  readonly spec: ClusterSpec
  /** The same error, with the lines of this file at its issues. */
  readonly located: (error: unknown) => unknown
}

/** Reads YAML or JSON from a file or, for `-`, from standard input. Throws AppError BAD_INPUT. */
export async function readDocument(file: string): Promise<DocumentFile> {
  const read = textOfBytes(await readBytes(file))
  if (!read.ok) throw badDocument(file, read.issues)
  const text = read.value
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

/** What is longer is not read to its end: `/dev/zero` has none. */
async function readBytes(file: string): Promise<Buffer> {
  // Not readFileSync(0): Node may have set the pipe to non-blocking, and a writer that is slower than we are is EAGAIN.
  const stream: Readable = file === '-' ? process.stdin : createReadStream(file)
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      length += chunk.length
      if (length > maxDocumentLength) {
        throw badDocument(file, [
          syntaxIssue(`more than ${maxDocumentLength} bytes`, `a document of at most ${maxDocumentLength} bytes`),
        ])
      }
    }
  } catch (error) {
    if (error instanceof AppError) throw error
    const name = file === '-' ? 'Standard input' : file
    throw new AppError('BAD_INPUT', `${name} cannot be read: ${reasonOf(error)}`, { cause: error })
  }
  return Buffer.concat(chunks)
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'found a directory, expected a file',
  EACCES: 'permission denied',
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  const reason = reasons[code]
  return reason === undefined ? code : `${reason} (${code})`
}

const syntaxIssue = (found: string, what: string): Issue => ({
  path: [],
  found,
  expectation: 'syntax',
  params: { what },
})

const badDocument = (file: string, issues: readonly Issue[]): AppError =>
  new AppError('BAD_INPUT', `${file}: ${issues.map(formatIssue).join('; ')}`, { issues: [...issues] })
