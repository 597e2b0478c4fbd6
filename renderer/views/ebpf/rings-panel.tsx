import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { paths } from '../../app/paths.ts'
import { Copyable } from '../../components/copy.tsx'
import { Panel } from '../../components/page.tsx'
import { useServices } from '../../store/use-services.ts'
import { useSamples } from '../../store/stats-store.ts'
import styles from './ebpf.module.css'

/** The ring of each service by its digest, to be compared between directors. */
export function RingsPanel({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const services = useServices(directorId).filter(({ service }) => service.dataplane === 'ebpf')
  const digests = new Map(
    useSamples(directorId)
      .at(-1)
      ?.services.map(({ key, ringDigest }) => [key, ringDigest]),
  )
  return (
    <Panel title={t('ebpf.rings.title')}>
      <p className="sb-dim">{t('ebpf.rings.hint')}</p>
      <table className={styles.table} aria-label={t('ebpf.rings.title')}>
        <thead>
          <tr>
            <th scope="col">{t('connections.service')}</th>
            <th scope="col">{t('ebpf.rings.members')}</th>
            <th scope="col">{t('ebpf.rings.digest')}</th>
          </tr>
        </thead>
        <tbody>
          {services.map(({ key, service, realServers }) => {
            const digest = digests.get(key) ?? null
            const inRing = realServers.filter(({ measured }) => (measured?.ringShare ?? 0) > 0).length
            return (
              <tr key={key}>
                <th scope="row">
                  <Link className="sb-link" href={paths.service(directorId, key)}>
                    {service.name}
                  </Link>
                </th>
                <td>
                  {inRing} / {realServers.length}
                </td>
                <td>{digest === null ? '–' : <Copyable text={digest} what={t('ebpf.rings.digest')} />}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </Panel>
  )
}
