import { Button } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { DirectorEntry } from '../../../core/contract/session.ts'
import { Facts, Panel } from '../../components/page.tsx'
import { StatusMark, StatusShape } from '../../components/status-mark.tsx'
import { Time } from '../../components/time.tsx'
import { formatMs } from '../../format/number.ts'
import { statusOfPhase } from '../../frame/session-status.ts'
import { useDirectorState } from '../../store/selectors.ts'
import { formatTarget } from '../connect/target-text.ts'
import styles from './hosts.module.css'
import { RemoveAgent } from './remove-agent.tsx'

/** What the agent says of itself and its host. */
export function DirectorFacts({ entry }: { readonly entry: DirectorEntry }) {
  const { t, i18n } = useTranslation()
  const [isRemoving, setIsRemoving] = useState(false)
  const { profile, session } = entry
  const { hello } = session
  const attachments = useDirectorState(profile.id)?.observed.attachments ?? []
  const skew = session.clockSkewMs ?? 0
  return (
    <Panel
      title={profile.name}
      aside={
        <Button
          variant="default"
          size="compact-xs"
          disabled={session.phase !== 'ready'}
          onClick={() => setIsRemoving(true)}
        >
          {t('hosts.removeAgent')}
        </Button>
      }
    >
      <div className={styles.facts}>
        <Facts
          rows={[
            [
              t('hosts.connection'),
              <StatusMark key="phase" status={statusOfPhase(session.phase)} label={t(`phase.${session.phase}`)} />,
            ],
            [
              t('hosts.address'),
              <span key="target" className="sb-mono">
                {formatTarget(profile.target)}
              </span>,
            ],
            [t('hosts.transport'), session.transport === null ? '–' : t(`hosts.transportBy.${session.transport}`)],
            [t('hosts.roundTrip'), session.roundTripMs === null ? '–' : formatMs(session.roundTripMs, i18n.language)],
            [
              t('hosts.skew'),
              session.clockSkewMs === null
                ? '–'
                : `${skew >= 0 ? '+' : '−'}${formatMs(Math.abs(Math.round(skew)), i18n.language)}`,
            ],
          ]}
        />
        {hello !== null && (
          <Facts
            rows={[
              [t('hosts.hostname'), hello.hostname],
              [t('hosts.kernel'), `${hello.kernel} (${hello.architecture})`],
              [t('hosts.agent'), hello.version],
              [t('hosts.started'), <Time key="started" atMs={hello.startedAtMs} isFull skewMs={skew} />],
              [t('hosts.access'), t(`hosts.accessOf.${hello.access}`)],
            ]}
          />
        )}
        {hello !== null && (
          <div>
            <h3 className={styles.subhead}>{t('hosts.interfaces')}</h3>
            <table className={styles.interfaces}>
              <thead>
                <tr>
                  <th scope="col">{t('hosts.interface')}</th>
                  <th scope="col">{t('hosts.addresses')}</th>
                  <th scope="col">MAC</th>
                  <th scope="col">MTU</th>
                </tr>
              </thead>
              <tbody>
                {hello.interfaces.map((one) => (
                  <tr key={one.index}>
                    <th scope="row">
                      <StatusMark
                        status={one.isUp ? 'up' : 'down'}
                        isQuiet
                        label={`${one.name}${one.isUp ? '' : ` (${t('status.down')})`}`}
                      />
                    </th>
                    <td className="sb-mono">
                      {one.addresses.map(({ address, prefixLength }) => (
                        <div key={address}>
                          {address}/{prefixLength}
                        </div>
                      ))}
                    </td>
                    <td className="sb-mono">{one.mac ?? '–'}</td>
                    <td>{one.mtu}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        {hello !== null && (
          <div>
            <h3 className={styles.subhead}>{t('hosts.dataplane')}</h3>
            <p>
              {hello.dataplane.isAvailable
                ? t('hosts.dataplaneAvailable')
                : t('hosts.dataplaneMissing', { reason: hello.dataplane.reason ?? '' })}
            </p>
            <ul className={styles.hooks}>
              {hello.dataplane.hooks.map(({ hook, isUsable, reason }) => (
                <li key={hook}>
                  <StatusShape status={isUsable ? 'up' : 'unknown'} />
                  <span>
                    {hook}
                    <span className="sb-hidden"> {t(isUsable ? 'hosts.usable' : 'hosts.notUsable')}</span>
                  </span>
                  <span className="sb-dim">{reason}</span>
                </li>
              ))}
            </ul>
            {attachments.map((one) => (
              <p key={one.interface} className="sb-dim">
                {t('hosts.attached', { hook: one.hook, interface: one.interface, reason: one.reason })}
                {one.foreignPrograms.length > 0 &&
                  ` ${t('hosts.foreign', { programs: one.foreignPrograms.join(', ') })}`}
              </p>
            ))}
          </div>
        )}
      </div>
      <RemoveAgent entry={entry} isOpen={isRemoving} onClose={() => setIsRemoving(false)} />
    </Panel>
  )
}
