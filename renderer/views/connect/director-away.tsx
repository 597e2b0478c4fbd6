import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { paths } from '../../app/paths.ts'
import { client } from '../../connection/client.ts'
import { useCommand } from '../../connection/use-call.ts'
import { InlineError } from '../../components/inline-error.tsx'
import { Empty, LoadingBlock } from '../../components/states.tsx'
import { useDirector, useDirectorData } from '../../store/selectors.ts'
import styles from './director-away.module.css'

/** Instead of a view whose director has never been heard of in this page: why, and the one thing to do about it. */
export function DirectorAway({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const entry = useDirector(directorId)
  const error = useDirectorData(directorId)?.error ?? null
  const connect = useCommand(() => client.call('directors.connect', { directorId }))
  if (entry === undefined) {
    return (
      <div className={styles.center}>
        <Empty
          icon="plug"
          sentence={t('connect.unknown', { id: directorId })}
          action={{ label: t('connect.title'), href: paths.connect }}
        />
      </div>
    )
  }
  const { profile, session } = entry
  const { phase } = session
  if (phase === 'ready' && error === null) {
    return (
      <div className={styles.loading}>
        <LoadingBlock height={24} />
        <LoadingBlock height={96} />
        <LoadingBlock height={280} />
      </div>
    )
  }
  const isOn = phase !== 'disconnected' && phase !== 'failed'
  return (
    <div className={styles.center}>
      <div className={styles.box}>
        <Empty
          icon="plug"
          sentence={t(`away.${phase}`, { name: profile.name })}
          action={
            isOn
              ? { label: t('away.showSteps'), href: paths.connectTo(directorId) }
              : { label: t('away.connect', { name: profile.name }), onClick: () => void connect.run() }
          }
        />
        <InlineError error={connect.error ?? session.error ?? error} />
        {!isOn && (
          <Button component={Link} href={paths.connectTo(directorId)} variant="subtle">
            {t('away.details')}
          </Button>
        )}
      </div>
    </div>
  )
}
