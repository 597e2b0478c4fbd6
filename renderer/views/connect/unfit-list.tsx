import { useTranslation } from 'react-i18next'
import type { WireError } from '../../../core/contract/errors.ts'
import styles from './connect.module.css'

function paramsOf(text: string): Record<string, string> {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, string>) : {}
  } catch {
    return { found: text }
  }
}

/** The failed checks of an error, by the key of their sentence. */
export function unfitOf(error: WireError): [string, string][] {
  return Object.entries(error.details ?? {}).filter(([key]) => key.startsWith('unfit.'))
}

/** What is missing on a host that the agent does not fit, one sentence each. */
export function UnfitList({ reasons }: { readonly reasons: readonly (readonly [string, string])[] }) {
  const { t } = useTranslation()
  return (
    <ul className={styles.unfit}>
      {reasons.map(([key, value]) => (
        <li key={key}>{t(key, paramsOf(value))}</li>
      ))}
    </ul>
  )
}
