import { useTranslation } from 'react-i18next'
import type { Session } from '../../../core/contract/session.ts'
import { Icon } from '../../components/icon.tsx'
import { useDuration } from '../../components/time.tsx'
import styles from './connect.module.css'

const worthSayingMs = 2000

/** Said where the director's clock and the workstation's differ by more than 2 s: times of one are not times of the other. */
export function ClockSkew({ session }: { readonly session: Session }) {
  const { t } = useTranslation()
  const duration = useDuration()
  const skewMs = session.clockSkewMs
  if (skewMs === null || Math.abs(skewMs) <= worthSayingMs) return null
  return (
    <p className={styles.warn} role="status">
      <Icon name="warning" />
      {t(skewMs > 0 ? 'connect.clockAhead' : 'connect.clockBehind', { duration: duration(Math.abs(skewMs)) })}
    </p>
  )
}
