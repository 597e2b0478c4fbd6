import { familyOf, type IpFamily } from '../model/address.ts'
import { fill } from '../model/issue.ts'
import { fixAfter, rulesFor } from './catalogue.ts'
import type { Finding, Fix, HostRole } from './finding.ts'
import { type CheckParameters, type CheckSubject, type FixDraft, MissingFact, type Rule } from './rule.ts'

export function roleOf(host: string): HostRole {
  return host === 'director' ? 'director' : 'realServer'
}

/** Judges one host that was read by all rules of its role; rules that do not apply leave no row. */
export function judgeHost(subject: CheckSubject): Finding[] {
  const findings: Finding[] = []
  let isOtherHost = false
  for (const rule of rulesFor(roleOf(subject.host), subject.request)) {
    const beyond = whyBeyond(rule, subject.request, subject.host)
    if (beyond !== null) {
      findings.push(beyond)
      continue
    }
    const finding = isOtherHost
      ? unread(rule, subject.request, subject.host, 'unknown', `facts of ${subject.host}`)
      : judgeRule(rule, subject)
    if (finding === null) continue
    // What was read is another machine's: nothing may be concluded from it, and nothing changed there.
    if (rule.id === 'RS1' && finding.status !== 'ok') isOtherHost = true
    findings.push(finding)
  }
  return withRequirements(findings)
}

/** Rows of a host that was not read: `notChecked` without SSH access, `unknown` where reading it failed. */
export function unreadHost(
  request: CheckParameters,
  host: string,
  status: 'notChecked' | 'unknown',
  fact: string,
): Finding[] {
  return rulesFor(roleOf(host), request).map(
    (rule) => whyBeyond(rule, request, host) ?? unread(rule, request, host, status, fact),
  )
}

/** A row that says what the rule cannot judge yet: a family or a protocol. Null where it can. */
function whyBeyond(rule: Rule, request: CheckParameters, host: string): Finding | null {
  const families: IpFamily[] = [familyOf(request.vip), ...(host === 'director' ? [] : [familyOf(host)])]
  const isOtherFamily = families.some((family) => !rule.families.includes(family))
  if (!isOtherFamily && rule.protocols.includes(request.protocol)) return null
  const cause = isOtherFamily ? 'otherFamily' : 'otherProtocol'
  const judged = (isOtherFamily ? rule.families : rule.protocols).join(', ')
  const params = paramsOf(request, host, { judged })
  return { ...common(rule, host, params), status: 'notChecked', cause, found: `judged for ${judged} alone`, fix: null }
}

function judgeRule(rule: Rule, subject: CheckSubject): Finding | null {
  const { request, host } = subject
  try {
    const judgement = rule.judge(subject)
    if (judgement === null) return null
    const params = paramsOf(request, host, judgement.params)
    return {
      ...common(rule, host, params),
      status: judgement.status,
      cause: judgement.cause ?? 'ok',
      found: judgement.found,
      fix: judgement.fix ? fixOf(rule.id, host, judgement.fix) : null,
    }
  } catch (error) {
    if (!(error instanceof MissingFact)) throw error
    return unread(rule, request, host, 'unknown', error.fact)
  }
}

function unread(
  rule: Rule,
  request: CheckParameters,
  host: string,
  status: 'notChecked' | 'unknown',
  fact: string,
): Finding {
  const params = paramsOf(request, host, { fact })
  const found = status === 'unknown' ? `not read: ${fact}` : fact
  return { ...common(rule, host, params), status, cause: status, found, fix: null }
}

function paramsOf(request: CheckParameters, host: string, more: Finding['params'] = {}): Finding['params'] {
  return { vip: request.vip, port: request.port, host, ...more }
}

function common(rule: Rule, host: string, params: Finding['params']) {
  return {
    rule: rule.id,
    host,
    role: rule.role,
    severity: rule.severity,
    expected: fill(rule.expected, { place: 'an interface', ...params }),
    params,
  }
}

function fixOf(rule: string, host: string, draft: FixDraft): Fix | null {
  if (draft.steps.length === 0) return null
  return {
    id: `${rule}@${host}`,
    rule,
    host,
    commands: draft.steps.map(({ run }) => run),
    undo: draft.steps.map(({ undo }) => undo).reverse(),
    files: [...draft.files],
    survivesReboot: draft.survivesReboot,
    requires: [],
  }
}

/**
 * Names in each fix the others on this host that are still missing and must come first. Where one of those cannot be
 * fixed, or is not known, this one is not offered either.
 */
function withRequirements(findings: readonly Finding[]): Finding[] {
  return findings.map((finding) => {
    if (finding.fix === null) return finding
    const before = fixAfter(finding.rule)
    const open = findings.filter(({ rule, status }) => status !== 'ok' && before.some((id) => id === rule))
    const requires = open.flatMap(({ fix }) => (fix === null ? [] : [fix.id]))
    return { ...finding, fix: requires.length < open.length ? null : { ...finding.fix, requires } }
  })
}
