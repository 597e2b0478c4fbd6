import type { ReactNode } from 'react'
import { Icon } from './icon.tsx'
import styles from './notice.module.css'

/** A sentence that wants to be seen and is no error. */
export function Notice({ children }: { readonly children: ReactNode }) {
  return (
    <p className={styles.notice} role="status">
      <Icon name="info" />
      <span>{children}</span>
    </p>
  )
}
