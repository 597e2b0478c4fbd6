import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { compareAddresses } from '../../../core/model/address.ts'
import { useAccess } from '../../connection/use-access.ts'
import { InlineError } from '../../components/inline-error.tsx'
import { Panel } from '../../components/page.tsx'
import { useDirectorState } from '../../store/selectors.ts'
import { AccessSelect } from '../wizard/access-select.tsx'
import styles from './hosts.module.css'

/** How each real server is reached for its checks. */
export function RealServerAccesses({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const spec = useDirectorState(directorId)?.spec
  const access = useAccess(directorId)
  const addresses = useMemo(
    () =>
      [
        ...new Set([
          ...(spec?.services.flatMap(({ realServers }) => realServers.map(({ address }) => address)) ?? []),
          ...access.addresses,
        ]),
      ].toSorted(compareAddresses),
    [spec, access.addresses],
  )
  return (
    <Panel title={t('access.title')} isFlush>
      {access.error !== null && (
        <div className={styles.pad}>
          <InlineError error={access.error} onRetry={access.reload} />
        </div>
      )}
      {addresses.length === 0 && access.error === null && <p className={styles.empty}>{t('access.none')}</p>}
      <ul className={styles.list}>
        {addresses.map((address) => (
          <li key={address} className={styles.row}>
            <span className={styles.rowMain}>
              <span className="sb-mono">{address}</span>
            </span>
            {access.isKnown && (
              <div className={styles.access}>
                <AccessSelect
                  address={address}
                  access={access.of(address)}
                  label={t('access.of', { address })}
                  onChange={(value) => void access.set([address], value)}
                />
              </div>
            )}
          </li>
        ))}
      </ul>
    </Panel>
  )
}
