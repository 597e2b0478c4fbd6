import { Checkbox, TextInput } from '@mantine/core'
import { useId } from 'react'
import { useTranslation } from 'react-i18next'
import styles from './apply-options.module.css'
import { confirmSeconds, defaultConfirmWithin, neverReverts } from './confirm-time.ts'

/** What an apply is asked for with: a message for the history, and whether it takes itself back. */
export function ApplyOptionsForm({
  message,
  confirmWithinSec,
  onMessage,
  onConfirmWithinSec,
}: {
  readonly message: string
  readonly confirmWithinSec: string
  readonly onMessage: (message: string) => void
  readonly onConfirmWithinSec: (seconds: string) => void
}) {
  const { t } = useTranslation()
  const id = useId()
  const isTimed = confirmWithinSec !== neverReverts
  const isWrong = confirmSeconds(confirmWithinSec) === undefined
  return (
    <div className={styles.options}>
      <TextInput
        label={t('apply.message')}
        placeholder={t('apply.messagePlaceholder')}
        value={message}
        maxLength={500}
        onChange={(event) => onMessage(event.currentTarget.value)}
      />
      <div className={styles.timed}>
        <Checkbox
          id={`${id}-timed`}
          checked={isTimed}
          onChange={(event) => onConfirmWithinSec(event.currentTarget.checked ? defaultConfirmWithin : neverReverts)}
          label={t('apply.revertUnless')}
        />
        {isTimed && (
          <>
            <TextInput
              aria-label={t('apply.seconds')}
              className={styles.seconds}
              inputMode="numeric"
              value={confirmWithinSec}
              error={isWrong}
              onChange={(event) => onConfirmWithinSec(event.currentTarget.value)}
            />
            <span>{t('unit.seconds')}</span>
          </>
        )}
      </div>
      {isWrong && (
        <p role="alert" className={styles.problem}>
          {t('apply.secondsRange', {
            found: confirmWithinSec.trim() === '' ? t('issues.nothing') : confirmWithinSec.trim(),
          })}
        </p>
      )}
    </div>
  )
}
