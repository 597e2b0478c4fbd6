import { useTranslation } from 'react-i18next'
import { SyncRole } from '../../../core/model/ipvs-settings.ts'
import type { ObservedSyncDaemon } from '../../../core/model/observed.ts'
import styles from './director.module.css'

/** The kernel's own choice where none is given (ip_vs_sync.c). */
export const defaultGroup = '224.0.0.81'

/** One row for each running role of the sync daemon, whoever started it. */
export function SyncDaemons({ daemons }: { readonly daemons: readonly ObservedSyncDaemon[] }) {
  const { t } = useTranslation()
  if (daemons.length === 0) return <p>{t('ipvs.noDaemons')}</p>
  const inOrder = daemons.toSorted((a, b) => SyncRole.options.indexOf(a.role) - SyncRole.options.indexOf(b.role))
  return (
    <table className={styles.table} aria-label={t('ipvs.running')}>
      <thead>
        <tr>
          {(['roles', 'interface', 'syncId', 'group', 'port', 'ttl', 'whose'] as const).map((column) => (
            <th key={column} scope="col">
              {t(`ipvs.${column}`)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {inOrder.map((daemon) => (
          <tr key={daemon.role}>
            <th scope="row">{t(`ipvs.role.${daemon.role}`)}</th>
            <td className="sb-mono">{daemon.interface}</td>
            <td>{daemon.syncId}</td>
            <td className="sb-mono">{daemon.group ?? defaultGroup}</td>
            <td>{daemon.port}</td>
            <td>{daemon.ttl}</td>
            <td>{t(daemon.isOurs ? 'ipvs.ours' : 'ipvs.foreign')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
