import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Panel } from '../../components/page.tsx'
import { verdictsOf } from '../../series/verdicts.ts'
import { useSamples } from '../../store/stats-store.ts'
import styles from './ebpf.module.css'
import { VerdictRows } from './verdict-rows.tsx'

/** What became of every packet, drops first: each has a name, and none is hidden. */
export function VerdictsPanel({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const samples = useSamples(directorId)
  const { drop, fwd, pass } = useMemo(() => verdictsOf(samples), [samples])
  const dropped = drop.filter(({ total }) => total > 0)
  return (
    <Panel title={t('ebpf.verdicts.title')}>
      {drop.length + fwd.length + pass.length === 0 ? (
        <p className="sb-dim">{t('ebpf.verdicts.none')}</p>
      ) : (
        <>
          <h3 className={styles.subhead}>{t('ebpf.verdicts.drop')}</h3>
          {dropped.length === 0 ? (
            <p className="sb-dim">{t('ebpf.verdicts.noDrops')}</p>
          ) : (
            <VerdictRows label={t('ebpf.verdicts.drop')} verdicts={dropped} />
          )}
          <div className={styles.two}>
            <div>
              <h3 className={styles.subhead}>{t('ebpf.verdicts.fwd')}</h3>
              <VerdictRows label={t('ebpf.verdicts.fwd')} verdicts={fwd} />
            </div>
            <div>
              <h3 className={styles.subhead}>{t('ebpf.verdicts.pass')}</h3>
              <VerdictRows label={t('ebpf.verdicts.pass')} verdicts={pass} />
            </div>
          </div>
        </>
      )}
    </Panel>
  )
}
