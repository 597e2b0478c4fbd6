import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Weight } from '../../../core/model/service.ts'
import { expectations } from '../../../core/model/issue.ts'
import styles from './service.module.css'

/**
 * A weight that is edited in its cell. Enter or leaving the field puts it into the pending change, Esc takes the typing
 * back; what is no weight stays in the field with its reason.
 */
export function WeightInput({
  value,
  applied,
  label,
  field,
  isDisabled,
  onCommit,
}: {
  /** Weight of the pending document. */
  readonly value: number
  /** Weight of the newest revision. */
  readonly applied: number
  readonly label: string
  /** Where issues of the document lead. */
  readonly field: { readonly 'data-spec-field': string }
  readonly isDisabled: boolean
  readonly onCommit: (weight: number) => void
}) {
  const { t } = useTranslation()
  const [typed, setTyped] = useState<string | null>(null)
  const text = typed ?? String(value)
  const parsed = Weight.safeParse(/^\d{1,9}$/.test(text.trim()) ? Number(text) : text)
  const problem = parsed.success
    ? undefined
    : t('issues.text', {
        found: text.trim() === '' ? t('issues.nothing') : text,
        expected: t('expect.weight', { defaultValue: expectations.weight }),
      })
  const commit = () => {
    if (!parsed.success) return
    setTyped(null)
    if (parsed.data !== value) onCommit(parsed.data)
  }
  return (
    <input
      className={styles.weight}
      {...field}
      aria-label={label}
      aria-invalid={!parsed.success}
      title={problem}
      inputMode="numeric"
      disabled={isDisabled}
      data-pending={value !== applied || undefined}
      value={text}
      onChange={(event) => setTyped(event.currentTarget.value)}
      onBlur={commit}
      onFocus={(event) => event.currentTarget.select()}
      onKeyDown={(event) => {
        if (event.key === 'Enter') commit()
        else if (event.key === 'Escape') setTyped(null)
        else return
        event.preventDefault()
        event.stopPropagation()
      }}
    />
  )
}
