import { type ReactNode, useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { type Issue, formatPath } from '../../core/model/issue.ts'
import styles from './issue-summary.module.css'
import { useIssueText } from './issue-text.ts'

/** How issues are named, and how the focus gets to their fields. */
export interface IssueTarget {
  /** Name of the field as its label has it: `Real server 3, port`. Left out: the path. */
  readonly labelOf?: (issue: Issue) => string
  /** Puts the focus on the field. Left out: the element whose `data-field` is the path. */
  readonly goTo?: (issue: Issue) => void
}

/** Attribute of an input that an issue's path finds: `<TextInput {...fieldOf(['realServers', 0, 'port'])} />`. */
export function fieldOf(path: readonly (string | number)[]): { 'data-field': string } {
  return { 'data-field': formatPath(path) }
}

/** Focuses the field of an issue; its nearest named ancestor where the field itself is not on the page. */
export function focusField(path: readonly (string | number)[]): boolean {
  for (let length = path.length; length > 0; length--) {
    const selector = `[data-field="${CSS.escape(formatPath(path.slice(0, length)))}"]`
    const found = document.querySelector<HTMLElement>(selector)
    if (found !== null) {
      found.scrollIntoView({ block: 'center' })
      found.focus()
      return true
    }
  }
  return false
}

export function IssueList({ issues, target }: { readonly issues: readonly Issue[]; readonly target?: IssueTarget }) {
  const textOf = useIssueText()
  return (
    <ul className={styles.list}>
      {issues.map((issue) => (
        <li key={`${formatPath(issue.path)} ${issue.expectation} ${issue.line ?? ''}`}>
          <button
            type="button"
            className={styles.go}
            onClick={() => (target?.goTo === undefined ? focusField(issue.path) : target.goTo(issue))}
          >
            {target?.labelOf?.(issue) ?? formatPath(issue.path)}
          </button>
          : {textOf(issue)}
        </li>
      ))}
    </ul>
  )
}

/**
 * All that is wrong with a form, in one place. Takes the focus when it appears or its list changes after an attempt, so
 * that keyboard and screen reader are there at once; each entry leads to its field.
 */
export function IssueSummary({
  issues,
  target,
  title,
  attempt,
}: {
  readonly issues: readonly Issue[]
  readonly target?: IssueTarget
  readonly title?: ReactNode
  /** Counts the attempts to go on: each one with issues moves the focus here. */
  readonly attempt: number
}) {
  const { t } = useTranslation()
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (attempt > 0) box.current?.focus()
  }, [attempt])
  if (issues.length === 0) return null
  return (
    <div ref={box} role="alert" tabIndex={-1} className={styles.summary}>
      <p className={styles.title}>{title ?? t('issues.title', { count: issues.length })}</p>
      <IssueList issues={issues} target={target} />
    </div>
  )
}
