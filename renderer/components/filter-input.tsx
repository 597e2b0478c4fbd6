import { TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { Icon } from './icon.tsx'

/** The filter of a view: `/` leads here, Esc empties it and then leaves. */
export function FilterInput({
  value,
  onChange,
  label,
  placeholder,
  width = 220,
}: {
  readonly value: string
  readonly onChange: (value: string) => void
  readonly label: string
  /** Left out: the plain word. Where the filter looks at one thing alone, what that is. */
  readonly placeholder?: string
  readonly width?: number
}) {
  const { t } = useTranslation()
  return (
    <TextInput
      type="search"
      aria-label={label}
      placeholder={placeholder ?? t('table.filter')}
      title={`${label} (/)`}
      w={width}
      value={value}
      leftSection={<Icon name="search" size={14} />}
      onChange={(event) => onChange(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || value === '') return
        event.preventDefault()
        onChange('')
      }}
    />
  )
}
