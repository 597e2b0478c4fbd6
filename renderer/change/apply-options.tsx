import { Checkbox, TextInput } from '@mantine/core'
import { useId } from 'react'
import { useTranslation } from 'react-i18next'
import styles from './apply-options.module.css'
import { confirmSeconds, defaultConfirmWithin, drainSeconds, neverReverts } from './confirm-time.ts'

/** What an apply is asked for with: a message for the history, whether it takes itself back, and how long it drains. */
export function ApplyOptionsForm({
  message,
  confirmWithinSec,
  drainSec,
  onMessage,
  onConfirmWithinSec,
  onDrainSec,
}: {
  readonly message: string
  readonly confirmWithinSec: string
  readonly drainSec: string
  readonly onMessage: (message: string) => void
  readonly onConfirmWithinSec: (seconds: string) => void
  readonly onDrainSec: (seconds: string) => void
}) {
  const { t } = useTranslation()
  const id = useId()
  const isTimed = confirmWithinSec !== neverReverts
  const isWrong = confirmSeconds(confirmWithinSec) === undefined
  const isDrainWrong = drainSeconds(drainSec) === undefined
  const found = (text: string) => (text.trim() === '' ? t('issues.nothing') : text.trim())
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
          {t('apply.secondsRange', { found: found(confirmWithinSec) })}
        </p>
      )}
      <div className={styles.timed}>
        <label htmlFor={`${id}-drain`}>{t('apply.drain')}</label>
        <TextInput
          id={`${id}-drain`}
          className={styles.seconds}
          inputMode="numeric"
          value={drainSec}
          error={isDrainWrong}
          onChange={(event) => onDrainSec(event.currentTarget.value)}
        />
        <span>{t('unit.seconds')}</span>
      </div>
      {isDrainWrong && (
        <p role="alert" className={styles.problem}>
          {t('apply.drainRange', { found: found(drainSec) })}
        </p>
      )}
    </div>
  )
}
