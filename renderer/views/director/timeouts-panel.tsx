import { useTranslation } from 'react-i18next'
import type { DirectorState, IpvsOffer } from '../../../core/contract/agent.ts'
import { IpvsTimeouts } from '../../../core/model/ipvs-settings.ts'
import { editSpec, useChange } from '../../change/change-store.ts'
import { setTimeoutSec } from '../../change/edits.ts'
import { ipvsField } from '../../change/spec-issues.ts'
import { InlineInput } from '../../components/inline-input.tsx'
import { Panel } from '../../components/page.tsx'
import styles from './director.module.css'
import { useJudge } from './use-judge.ts'
import { presentTimeout, timeoutDefaults } from './wanted-settings.ts'

const names = ['tcpSec', 'tcpFinSec', 'udpSec'] as const

const valueOf = (text: string): unknown =>
  text.trim() === '' ? undefined : /^\d{1,9}$/.test(text.trim()) ? Number(text) : text

/** The three timeouts that IPVS lets one set: now, and as the pending document wants them. */
export function TimeoutsPanel({
  directorId,
  state,
  offer,
  isLocked,
}: {
  readonly directorId: string
  readonly state: DirectorState
  readonly offer: IpvsOffer | null
  readonly isLocked: boolean
}) {
  const { t } = useTranslation()
  const judge = useJudge()
  const applied = state.spec.ipvs?.timeouts ?? {}
  const pending = useChange((s) => s.pending[directorId]?.spec)
  const wanted = (pending ?? state.spec).ipvs?.timeouts ?? {}
  return (
    <Panel title={t('ipvs.timeouts')}>
      <p className="sb-dim">{t('ipvs.timeoutsHint')}</p>
      <table className={styles.table} aria-label={t('ipvs.timeouts')}>
        <thead>
          <tr>
            <th scope="col">{t('ipvs.name')}</th>
            <th scope="col" className="sb-num">
              {t('ipvs.default')}
            </th>
            <th scope="col" className="sb-num">
              {t('ipvs.now')}
            </th>
            <th scope="col" className="sb-num">
              {t('ipvs.set')}
            </th>
            <th scope="col" className="sb-num" title={t('ipvs.originalHint')}>
              {t('ipvs.original')}
            </th>
          </tr>
        </thead>
        <tbody>
          {names.map((name) => {
            const { now, original } = presentTimeout(name, state.observed, offer)
            return (
              <tr key={name}>
                <th scope="row">{t(`ipvs.${name}`)}</th>
                <td className="sb-num">{timeoutDefaults[name]}</td>
                <td className="sb-num">{now ?? '–'}</td>
                <td className="sb-num">
                  <InlineInput
                    value={wanted[name] === undefined ? '' : String(wanted[name])}
                    isPending={wanted[name] !== applied[name]}
                    label={t('ipvs.setOf', { name: t(`ipvs.${name}`) })}
                    field={ipvsField(`timeouts.${name}`)}
                    width={62}
                    isNumeric
                    placeholder={t('ipvs.asIs')}
                    isDisabled={isLocked}
                    judge={(text) => judge(IpvsTimeouts, { [name]: valueOf(text) })}
                    onCommit={(text) =>
                      editSpec(directorId, setTimeoutSec(name, IpvsTimeouts.parse({ [name]: valueOf(text) })[name]))
                    }
                  />
                </td>
                <td className="sb-num">{original ?? '–'}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </Panel>
  )
}
