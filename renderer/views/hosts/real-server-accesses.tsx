import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { compareAddresses } from '../../../core/model/address.ts'
import type { RealServerAccess } from '../../../core/model/ssh.ts'
import { client } from '../../connection/client.ts'
import { useCommand, useFetched } from '../../connection/use-call.ts'
import { InlineError } from '../../components/inline-error.tsx'
import { Panel } from '../../components/page.tsx'
import { useConsole } from '../../store/console-store.ts'
import { useDirectorState } from '../../store/selectors.ts'
import { AccessSelect } from '../wizard/access-select.tsx'
import styles from './hosts.module.css'

const byDefault: RealServerAccess = { kind: 'direct' }

/** How each real server is reached for its checks. */
export function RealServerAccesses({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const isOpen = useConsole((s) => s.link.phase === 'open')
  const spec = useDirectorState(directorId)?.spec
  const access = useFetched(isOpen ? directorId : null, (signal) =>
    client.call('access.list', { directorId }, { signal }),
  )
  const set = useCommand(async (address: string, value: RealServerAccess) => {
    await client.call('access.set', { directorId, address, access: value })
    access.reload()
  })
  const addresses = useMemo(
    () =>
      [
        ...new Set([
          ...(spec?.services.flatMap(({ realServers }) => realServers.map(({ address }) => address)) ?? []),
          ...Object.keys(access.value ?? {}),
        ]),
      ].toSorted(compareAddresses),
    [spec, access.value],
  )
  return (
    <Panel title={t('access.title')} isFlush>
      {(access.error ?? set.error) !== null && (
        <div className={styles.pad}>
          <InlineError error={access.error ?? set.error} onRetry={access.reload} />
        </div>
      )}
      {addresses.length === 0 && access.error === null && <p className={styles.empty}>{t('access.none')}</p>}
      <ul className={styles.list}>
        {addresses.map((address) => (
          <li key={address} className={styles.row}>
            <span className={styles.rowMain}>
              <span className="sb-mono">{address}</span>
            </span>
            {access.value !== null && (
              <div className={styles.access}>
                <AccessSelect
                  address={address}
                  access={access.value[address] ?? byDefault}
                  label={t('access.of', { address })}
                  onChange={(value) => void set.run(address, value)}
                />
              </div>
            )}
          </li>
        ))}
      </ul>
    </Panel>
  )
}
