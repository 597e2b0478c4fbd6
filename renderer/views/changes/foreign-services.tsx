import { useTranslation } from 'react-i18next'
import { dataplaneNames, methodNames } from '../../../core/model/dataplane.ts'
import { serviceKey } from '../../../core/model/service.ts'
import { Panel } from '../../components/page.tsx'
import { useDirectorState } from '../../store/selectors.ts'
import { AdoptButton } from './adopt.tsx'
import styles from './changes.module.css'

/** Services in the kernel that no revision made: shown, never touched, until they are adopted. */
export function ForeignServices({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const services = useDirectorState(directorId)?.observed.services.filter(({ isForeign }) => isForeign) ?? []
  if (services.length === 0) return null
  return (
    <Panel title={t('adopt.others', { count: services.length })}>
      <p className={styles.hint}>{t('adopt.othersHint')}</p>
      <table className={styles.lines}>
        <thead>
          <tr>
            <th scope="col">{t('drift.what.service')}</th>
            <th scope="col">{t('column.mode')}</th>
            <th scope="col">{t('drift.what.scheduler')}</th>
            <th scope="col" className="sb-num">
              {t('adopt.realServerCount')}
            </th>
            <th scope="col">
              <span className="sb-hidden">{t('action.actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {services.map((service) => (
            <tr key={serviceKey(service)}>
              <th scope="row" className="sb-mono">
                {serviceKey(service)}
              </th>
              <td>
                {dataplaneNames[service.dataplane]} {methodNames[service.forwarding]}
              </td>
              <td>{[service.scheduler, ...service.schedulerFlags].join(' ')}</td>
              <td className="sb-num">{service.realServers.length}</td>
              <td className={styles.act}>
                <AdoptButton directorId={directorId} observed={service} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  )
}
