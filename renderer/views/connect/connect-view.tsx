import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { SshTarget } from '../../../core/model/ssh.ts'
import { useConsole } from '../../store/console-store.ts'
import { useDirector } from '../../store/selectors.ts'
import { Gone, LoadingRows } from '../../components/states.tsx'
import { paths } from '../../app/paths.ts'
import { useLocation } from 'wouter'
import { ConnectionPanel } from './connection-panel.tsx'
import styles from './connect.module.css'
import { DirectorForm } from './director-form.tsx'
import { DirectorList } from './director-list.tsx'
import { Intro } from './intro.tsx'
import { WelcomeCard } from './welcome-card.tsx'

/** What the form starts from: nothing, a host of ~/.ssh/config, or a director that is edited. */
export interface FormStart {
  readonly editedId: string | null
  readonly name: string
  readonly target: SshTarget | null
}

/** Connect a director: what is known at the left, one connection and its steps at the right. */
export default function ConnectView({ directorId }: { readonly directorId: string | null }) {
  const { t } = useTranslation()
  const [, navigate] = useLocation()
  const directors = useConsole((s) => s.directors)
  const entry = useDirector(directorId ?? undefined)
  const [form, setForm] = useState<FormStart | null>(null)
  return (
    <div className={styles.layout}>
      <div className={styles.side}>
        <h1>{t('connect.title')}</h1>
        <WelcomeCard />
        {directors === null ? (
          <LoadingRows rows={4} />
        ) : (
          <DirectorList
            directors={directors}
            shownId={form === null ? directorId : null}
            onShow={() => setForm(null)}
            onForm={(start) => setForm(start)}
          />
        )}
      </div>
      <div className={styles.detail}>
        <div className={styles.detailInner}>
          {form !== null ? (
            <DirectorForm
              key={`${form.editedId ?? ''} ${form.name}`}
              start={form}
              onCancel={() => setForm(null)}
              onSaved={(id) => {
                setForm(null)
                navigate(paths.connectTo(id))
              }}
            />
          ) : entry !== undefined ? (
            <ConnectionPanel
              key={entry.profile.id}
              entry={entry}
              onEdit={() =>
                setForm({ editedId: entry.profile.id, name: entry.profile.name, target: entry.profile.target })
              }
            />
          ) : directorId !== null && directors !== null ? (
            <Gone sentence={t('connect.unknown', { id: directorId })} href={paths.connect} label={t('connect.title')} />
          ) : (
            <Intro onOther={() => setForm({ editedId: null, name: '', target: null })} />
          )}
        </div>
      </div>
    </div>
  )
}
