import { structuredPatch } from 'diff'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { CopyButton } from './copy.tsx'
import styles from './text-diff.module.css'

/** Line by line, removed and added told apart by sign and colour, with three lines around each change. */
export function TextDiff({
  before,
  after,
  label,
}: {
  readonly before: string
  readonly after: string
  readonly label: string
}) {
  const { t } = useTranslation()
  const hunks = useMemo(
    () => structuredPatch('before', 'after', before, after, undefined, undefined, { context: 3 }).hunks,
    [before, after],
  )
  if (hunks.length === 0) return <p className="sb-dim">{t('diff.same')}</p>
  const text = hunks.flatMap(({ lines }) => lines).join('\n')
  return (
    <div className={styles.box}>
      <div className={styles.head}>
        <span>{label}</span>
        <CopyButton text={text} what={label} />
      </div>
      <div className={styles.scroll} tabIndex={0} role="group" aria-label={label}>
        {hunks.map((hunk) => (
          <table key={`${hunk.oldStart} ${hunk.newStart}`} className={styles.table}>
            <tbody>
              {hunk.lines.map((line, i) => {
                const kind = line[0] === '+' ? 'added' : line[0] === '-' ? 'removed' : 'same'
                return (
                  <tr key={i} className={styles[kind]}>
                    <td className={styles.sign}>
                      {kind === 'same' ? '' : line[0]}
                      {kind !== 'same' && <span className="sb-hidden">{t(`diff.${kind}`)}</span>}
                    </td>
                    <td className={styles.line}>{line.slice(1)}</td>
                  </tr>
                )
              })}
            </tbody>
          </table>
        ))}
      </div>
    </div>
  )
}
