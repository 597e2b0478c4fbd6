import { ActionIcon, Button, Tooltip } from '@mantine/core'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Icon } from './icon.tsx'
import styles from './copy.module.css'

/** Copies and says so for two seconds; where the clipboard is refused, says that instead of pretending. */
function useCopy(text: string | (() => Promise<string>)): { state: 'idle' | 'copied' | 'failed'; copy: () => void } {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle')
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  const copy = () => {
    const settle = (next: 'copied' | 'failed') => {
      setState(next)
      clearTimeout(timer.current)
      timer.current = setTimeout(() => setState('idle'), 2000)
    }
    const read = typeof text === 'string' ? Promise.resolve(text) : text()
    read
      .then((value) => navigator.clipboard.writeText(value))
      .then(
        () => settle('copied'),
        () => settle('failed'),
      )
  }
  return { state, copy }
}

/** Small button that copies exactly `text`. `what` names it for readers of the screen: "Copy fingerprint". */
export function CopyButton({ text, what }: { readonly text: string; readonly what?: string }) {
  const { t } = useTranslation()
  const { state, copy } = useCopy(text)
  const label = what === undefined ? t('copy.copy') : t('copy.copyWhat', { what })
  const said = state === 'idle' ? label : t(`copy.${state}`)
  return (
    <Tooltip label={said}>
      <ActionIcon aria-label={label} onClick={copy} size={24} data-copied={state === 'copied' || undefined}>
        <Icon name={state === 'copied' ? 'check' : 'copy'} size={14} />
        <span role="status" className="sb-hidden">
          {state === 'idle' ? '' : said}
        </span>
      </ActionIcon>
    </Tooltip>
  )
}

/** Button with a word, for a whole log or file; the text may be fetched when it is asked for. */
export function CopyTextButton({
  text,
  label,
}: {
  readonly text: string | (() => Promise<string>)
  readonly label: string
}) {
  const { t } = useTranslation()
  const { state, copy } = useCopy(text)
  return (
    <Button
      variant="default"
      onClick={copy}
      leftSection={<Icon name={state === 'copied' ? 'check' : 'copy'} size={14} />}
    >
      {state === 'idle' ? label : t(`copy.${state}`)}
    </Button>
  )
}

/** A value in mono with its Copy: address, fingerprint, key. */
export function Copyable({ text, what }: { readonly text: string; readonly what?: string }) {
  return (
    <span className={styles.inline}>
      <span className="sb-mono">{text}</span>
      <CopyButton text={text} what={what} />
    </span>
  )
}

/** Commands as they are typed, one block to copy. Nothing is added to the text: no prompt, no ellipsis, no soft break. */
export function CommandBlock({
  commands,
  title,
  label,
}: {
  readonly commands: readonly string[]
  /** Where to run them: `on lb1, as root`. */
  readonly title?: ReactNode
  readonly label: string
}) {
  const text = commands.join('\n')
  return (
    <div className={styles.block}>
      <div className={styles.blockHead}>
        <span className="sb-cut">{title}</span>
        <CopyButton text={text} what={label} />
      </div>
      {/* Focusable, so that the keyboard can scroll it. */}
      <pre className={styles.pre} tabIndex={0} role="group" aria-label={label}>
        {text}
      </pre>
    </div>
  )
}
