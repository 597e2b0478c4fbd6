import { Input, SegmentedControl } from '@mantine/core'
import { useId } from 'react'

/** A few short values side by side, with a label as other inputs have it. */
export function Segments<T extends string>({
  label,
  hint,
  field,
  options,
  value,
  onChange,
}: {
  readonly label: string
  readonly hint?: string
  /** Path of the field, where an error summary leads to. */
  readonly field: string
  readonly options: readonly { readonly value: T; readonly label: string; readonly disabled?: boolean }[]
  readonly value: T
  readonly onChange: (value: T) => void
}) {
  const id = useId()
  return (
    <Input.Wrapper label={label} description={hint} labelElement="div" labelProps={{ id }} size="xs">
      <div tabIndex={-1} data-field={field}>
        <SegmentedControl
          aria-labelledby={id}
          mt={4}
          data={options.map((option) => ({ ...option }))}
          value={value}
          onChange={(next) => onChange(next as T)}
        />
      </div>
    </Input.Wrapper>
  )
}
