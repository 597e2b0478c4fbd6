import { ActionIcon, Tooltip } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { paths } from '../../app/paths.ts'
import { client } from '../../connection/client.ts'
import { useCommand, useFetched } from '../../connection/use-call.ts'
import { Icon } from '../../components/icon.tsx'
import { InlineError } from '../../components/inline-error.tsx'
import { Panel } from '../../components/page.tsx'
import { Time } from '../../components/time.tsx'
import { useConsole } from '../../store/console-store.ts'
import styles from './services.module.css'

/** Services in the making: each leads back to the step where it was left. Nothing where there is none. */
export function Drafts({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const isOpen = useConsole((s) => s.link.phase === 'open')
  const drafts = useFetched(isOpen ? directorId : null, (signal) =>
    client.call('drafts.list', { directorId }, { signal }),
  )
  const remove = useCommand(async (id: string) => {
    await client.call('drafts.remove', { id })
    drafts.reload()
  })
  const list = drafts.value ?? []
  if (list.length === 0 && drafts.error === null) return null
  return (
    <Panel title={t('drafts.title')} isFlush>
      <InlineError error={drafts.error ?? remove.error} onRetry={drafts.reload} />
      <ul className={styles.drafts}>
        {list.map((draft) => (
          <li key={draft.id} className={styles.draft}>
            <Link href={paths.draft(directorId, draft.id)} className={`sb-link sb-cut ${styles.draftName}`}>
              {draft.form.name.trim() === '' ? t('drafts.unnamed') : draft.form.name}
            </Link>
            <span className="sb-mono">
              {draft.form.vip === '' ? '–' : draft.form.vip}:{draft.form.port}
            </span>
            <span className="sb-dim">{t(`wizard.step.${draft.step}`)}</span>
            <span className="sb-dim">
              <Time atMs={draft.updatedAtMs} />
            </span>
            <Tooltip label={t('drafts.remove')}>
              <ActionIcon
                size={24}
                aria-label={t('drafts.removeNamed', { name: draft.form.name || t('drafts.unnamed') })}
                onClick={() => void remove.run(draft.id)}
              >
                <Icon name="trash" size={14} />
              </ActionIcon>
            </Tooltip>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
