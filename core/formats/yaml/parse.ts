import { LineCounter, parseAllDocuments, parseDocument, type Document } from 'yaml'
import { type ClusterSpec, type Parsed, parseClusterSpec } from '../../model/cluster-spec.ts'
import { type Issue, showValue } from '../../model/issue.ts'
import { lineOf } from './lines.ts'

/** Longer texts are refused unread; the largest cluster (1,000 services of 1,000 real servers) is edited in parts. */
export const maxDocumentLength = 8 * 1024 * 1024

/** Aliases that may be followed: a short text must not unfold into gigabytes. */
const maxAliases = 1000

/** Reads YAML or JSON as a cluster's document; issues carry the line where they stand. Never throws. */
export function parseClusterText(text: string): Parsed<ClusterSpec> {
  if (text.length > maxDocumentLength) {
    const what = `a document of at most ${maxDocumentLength} characters`
    return refused({ found: `${text.length} characters`, what })
  }
  const lines = new LineCounter()
  const documents = parseAllDocuments(text.replace(/^\uFEFF/, ''), {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
  })
  if (!Array.isArray(documents) || documents.length === 0) return parseClusterSpec(undefined)
  const [document, second] = documents as Document.Parsed[]
  if (document === undefined) return parseClusterSpec(undefined)
  // A warning tells of a tag or a directive that would be dropped without a word.
  const problem = document.errors[0] ?? document.warnings[0]
  if (problem !== undefined) {
    const { line } = lines.linePos(problem.pos[0])
    return refused({ found: showLine(text, line), what: `YAML or JSON (${reasonOf(problem)})`, line })
  }
  if (second !== undefined) {
    return refused({ found: `${documents.length} documents`, what: 'one document', line: lineOf(second, lines, []) })
  }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: maxAliases })
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return refused({ found: `aliases (${sentenceOf(error.message)})`, what: 'a document that says each thing itself' })
  }
  const parsed = parseClusterSpec(value)
  if (parsed.ok) return parsed
  return { ok: false, issues: parsed.issues.map((issue) => withLine(issue, lineOf(document, lines, issue.path))) }
}

/** The same issues with the lines at which their fields stand in this text; for issues that somebody else found. */
export function withLines(text: string, issues: readonly Issue[]): Issue[] {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true })
  return issues.map((issue) => {
    const [field] = issue.path
    // What was given beside the document, such as the time to confirm, stands on none of its lines.
    const isInDocument = field === undefined || document.has(field)
    return isInDocument ? withLine(issue, lineOf(document, lines, issue.path)) : issue
  })
}

const withLine = (issue: Issue, line: number | undefined): Issue => (line === undefined ? issue : { ...issue, line })

function refused({ found, what, line }: { found: string; what: string; line?: number | undefined }): Parsed<never> {
  return { ok: false, issues: [withLine({ path: [], found, expectation: 'syntax', params: { what } }, line)] }
}

const showLine = (text: string, line: number): string => showValue(text.split(/\r?\n/)[line - 1]?.trim() ?? '')

/** Deep nesting ends in the library's own recursion, whose message says nothing to an operator. */
const reasonOf = ({ message }: Error): string =>
  message.startsWith('Maximum call stack') ? 'The nesting is too deep' : sentenceOf(message)

/** The library's message on one line, without its full stop. */
const sentenceOf = (message: string): string => (message.split('\n')[0] ?? '').replace(/\.$/, '')
