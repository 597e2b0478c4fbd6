import { useTranslation } from 'react-i18next'
import type { IpvsOffer } from '../../../core/contract/agent.ts'
import { familyNames, IpFamily } from '../../../core/model/address.ts'
import type { IpvsAvailability, ObservedIpvs } from '../../../core/model/observed.ts'
import { Facts, Panel } from '../../components/page.tsx'
import { StatusMark } from '../../components/status-mark.tsx'
import { formatCount } from '../../format/number.ts'
import type { Status } from '../../store/service-state.ts'

const statusOf: Readonly<Record<IpvsAvailability, Status>> = {
  ready: 'up',
  'module-not-loaded': 'unknown',
  'module-missing': 'down',
  'no-permission': 'down',
}

/** Whether IPVS can be driven here, what to do where it cannot, and what this kernel has. */
export function IpvsFacts({
  observed,
  offer,
  families,
}: {
  readonly observed: ObservedIpvs
  readonly offer: IpvsOffer | null
  readonly families: readonly IpFamily[]
}) {
  const { t, i18n } = useTranslation()
  const { availability } = observed
  const present = (names: readonly { readonly name: string; readonly isAvailable: boolean }[]) => {
    const has = names.filter(({ isAvailable }) => isAvailable).map(({ name }) => name)
    const lacks = names.filter(({ isAvailable }) => !isAvailable).map(({ name }) => name)
    return (
      <>
        {has.length === 0 ? '–' : has.join(', ')}
        {lacks.length > 0 && <span className="sb-dim"> · {t('ipvs.notThere', { names: lacks.join(', ') })}</span>}
      </>
    )
  }
  const unknown = <span className="sb-dim">{t('ipvs.unknown')}</span>
  const size = offer?.connectionTableSize ?? null
  return (
    <Panel title={t('ipvs.kernel')}>
      <StatusMark status={statusOf[availability]} label={t(`ipvs.availability.${availability}`)} />
      <p className="sb-dim">{t(`ipvs.remedy.${availability}`)}</p>
      {offer !== null && offer.reason !== null && availability !== 'ready' && (
        <p className="sb-mono" lang="en">
          {offer.reason}
        </p>
      )}
      {offer !== null && (availability === 'ready' || availability === 'module-not-loaded') && (
        <div style={{ marginTop: 10 }}>
          <Facts
            rows={[
              [t('ipvs.version'), offer.version ?? unknown],
              [
                t('ipvs.table'),
                <span key="table">
                  {size === null ? unknown : t('ipvs.buckets', { count: formatCount(size, i18n.language) })}
                  {size !== null && Number.isInteger(Math.log2(size)) && ` (conn_tab_bits ${Math.log2(size)})`}
                  <br />
                  <span className="sb-dim">{t('ipvs.tableHint')}</span>
                </span>,
              ],
              [
                t('ipvs.families'),
                present(
                  IpFamily.options.map((one) => ({ name: familyNames[one], isAvailable: families.includes(one) })),
                ),
              ],
              [t('ipvs.schedulers'), present(offer.schedulers)],
              [
                t('ipvs.tunnels'),
                present(offer.tunnels.map(({ type, isAvailable }) => ({ name: type.toUpperCase(), isAvailable }))),
              ],
              [t('ipvs.fullnat'), offer.fullnatObstacle ?? t('ipvs.fullnatReady')],
              ...(observed.ownModules.length === 0
                ? []
                : [
                    [
                      t('ipvs.ownModules'),
                      <span key="modules" className="sb-mono">
                        {observed.ownModules.join(', ')}
                      </span>,
                    ] as const,
                  ]),
            ]}
          />
        </div>
      )}
    </Panel>
  )
}
