import { useState } from 'react'
import styles from './inline-input.module.css'

/**
 * A value that is edited in its cell. Enter or leaving the field commits it, Esc takes the typing back; what does not fit
 * stays in the field with its reason.
 */
export function InlineInput({
  value,
  isPending,
  label,
  field,
  width,
  isNumeric = false,
  placeholder,
  isDisabled,
  judge,
  onCommit,
}: {
  readonly value: string
  /** Differs from what was applied. */
  readonly isPending: boolean
  readonly label: string
  /** Where issues of the document lead. */
  readonly field: { readonly 'data-spec-field': string }
  /** In pixels. */
  readonly width: number
  readonly isNumeric?: boolean
  /** What an empty field means. */
  readonly placeholder?: string
  readonly isDisabled: boolean
  /** Why a text does not fit, as a sentence; undefined where it does. */
  readonly judge: (text: string) => string | undefined
  readonly onCommit: (text: string) => void
}) {
  const [typed, setTyped] = useState<string | null>(null)
  const text = typed ?? value
  const problem = judge(text)
  const commit = () => {
    if (problem !== undefined) return
    setTyped(null)
    if (text !== value) onCommit(text)
  }
  return (
    <input
      className={styles.input}
      style={{ width }}
      {...field}
      aria-label={label}
      aria-invalid={problem !== undefined}
      title={problem}
      inputMode={isNumeric ? 'numeric' : undefined}
      placeholder={placeholder}
      disabled={isDisabled}
      data-pending={isPending || undefined}
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
