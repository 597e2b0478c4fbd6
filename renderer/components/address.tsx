import { shownEndpoint } from '../format/endpoint.ts'
import styles from './address.module.css'

/** The end that always stays: where addresses of one network differ, and the port. */
const endLength = 14
/** IPv6 endpoints and addresses; anything shorter, or any other name, is cut at its end. */
const isLong = (text: string): boolean => text.length > endLength + 6 && /^\[|:.*:/.test(text)

/**
 * A text that may be a long address. What does not fit gives way in the middle, since the ends are what tells addresses
 * apart; the whole is on hover, and is what a selection copies.
 */
export function MiddleCut({ text }: { readonly text: string }) {
  if (!isLong(text)) {
    return (
      <span className={`sb-cut ${styles.short}`} title={text}>
        {text}
      </span>
    )
  }
  return (
    <span className={styles.long} title={text}>
      <span className="sb-cut">{text.slice(0, -endLength)}</span>
      <span>{text.slice(-endLength)}</span>
    </span>
  )
}

/** An address or endpoint. */
export function Address({ text }: { readonly text: string }) {
  return (
    <span className={`sb-mono ${styles.address}`}>
      <MiddleCut text={shownEndpoint(text)} />
    </span>
  )
}
