import { useTranslation } from 'react-i18next'
import { expectations } from '../../../core/model/issue.ts'
import { Weight } from '../../../core/model/service.ts'
import { InlineInput } from '../../components/inline-input.tsx'

const parsed = (text: string) => Weight.safeParse(/^\d{1,9}$/.test(text.trim()) ? Number(text) : text)

/** A real server's weight, edited in its cell into the pending change. */
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
  return (
    <InlineInput
      value={String(value)}
      isPending={value !== applied}
      label={label}
      field={field}
      width={58}
      isNumeric
      isDisabled={isDisabled}
      judge={(text) =>
        parsed(text).success
          ? undefined
          : t('issues.text', {
              found: text.trim() === '' ? t('issues.nothing') : text,
              expected: t('expect.weight', { defaultValue: expectations.weight }),
            })
      }
      onCommit={(text) => {
        const { data } = parsed(text)
        if (data !== undefined && data !== value) onCommit(data)
      }}
    />
  )
}
