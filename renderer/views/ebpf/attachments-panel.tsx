import { useTranslation } from 'react-i18next'
import type { AgentHello } from '../../../core/contract/agent.ts'
import type { ObservedAttachment } from '../../../core/model/observed.ts'
import { Panel } from '../../components/page.tsx'
import { StatusMark } from '../../components/status-mark.tsx'
import { useDirector } from '../../store/selectors.ts'
import styles from './ebpf.module.css'

/** Each interface with its hook and the reason; below, what else this kernel has. Reasons come from the agent, in English. */
export function AttachmentsPanel({
  directorId,
  attachments,
  hello,
}: {
  readonly directorId: string
  readonly attachments: readonly ObservedAttachment[]
  readonly hello: AgentHello | null
}) {
  const { t } = useTranslation()
  const name = useDirector(directorId)?.profile.name ?? directorId
  const dataplane = hello?.dataplane
  return (
    <Panel title={t('ebpf.attachments')}>
      {dataplane !== undefined && !dataplane.isAvailable && (
        <>
          <StatusMark status="down" label={t('ebpf.unavailable', { name })} />
          <p lang="en">{dataplane.reason}</p>
        </>
      )}
      {attachments.length === 0 && dataplane?.isAvailable !== false && (
        <>
          <StatusMark status="unknown" label={t('ebpf.notAttached')} />
          <p className="sb-dim">{t('ebpf.notAttachedMore')}</p>
        </>
      )}
      {attachments.map((one) => (
        <div key={one.interface} className={styles.attachment}>
          <StatusMark status="up" label={`${one.interface} · ${one.hook}`} />
          <p className="sb-dim" lang="en">
            {one.reason}
          </p>
          {one.foreignPrograms.length > 0 && <p>{t('ebpf.others', { names: one.foreignPrograms.join(', ') })}</p>}
        </div>
      ))}
      {(dataplane?.hooks.length ?? 0) > 0 && (
        <>
          <h3 className={styles.subhead}>{t('ebpf.hooks')}</h3>
          <ul className={styles.hooks}>
            {dataplane?.hooks.map(({ hook, isUsable, reason }) => (
              <li key={hook}>
                <StatusMark
                  status={isUsable ? 'up' : 'unknown'}
                  label={`${hook}: ${t(isUsable ? 'ebpf.usable' : 'ebpf.unusable')}`}
                />
                <p className="sb-dim" lang="en">
                  {reason}
                </p>
              </li>
            ))}
          </ul>
        </>
      )}
    </Panel>
  )
}
