import { UnstyledButton } from '@mantine/core'
import { type ReactNode, useId, useState } from 'react'
import styles from './more.module.css'

/**
 * What most operators do not need, behind a word that names it. `isNeeded` keeps it open: something in it was set, or is
 * wrong, and must not be out of sight.
 */
export function More({
  label,
  isNeeded = false,
  children,
}: {
  readonly label: ReactNode
  readonly isNeeded?: boolean
  readonly children: ReactNode
}) {
  const id = useId()
  const [isAsked, setAsked] = useState(false)
  const isOpen = isAsked || isNeeded
  return (
    <div>
      <UnstyledButton
        className={styles.toggle}
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        disabled={isNeeded}
        onClick={() => setAsked(!isAsked)}
      >
        <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true" focusable="false">
          <path d="M3 1.5 7 5 3 8.5" fill="none" stroke="currentColor" strokeWidth="1.6" />
        </svg>
        {label}
      </UnstyledButton>
      {isOpen && (
        <div id={id} className={styles.content}>
          {children}
        </div>
      )}
    </div>
  )
}
