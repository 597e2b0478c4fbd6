import { Progress } from '@mantine/core'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Panel } from '../../components/page.tsx'
import { formatCount } from '../../format/number.ts'
import { verdictsOf } from '../../series/verdicts.ts'
import { useSamples } from '../../store/stats-store.ts'
import styles from './ebpf.module.css'
import { VerdictRows } from './verdict-rows.tsx'

/** From this on the cache is worth a look: buckets fill up long before the whole is full. */
const fullEnough = 0.8

/** How full the flow cache is, and what became of flows in it. */
export function FlowCachePanel({ directorId }: { readonly directorId: string }) {
  const { t, i18n } = useTranslation()
  const samples = useSamples(directorId)
  const { flow } = useMemo(() => verdictsOf(samples), [samples])
  const table = samples.at(-1)?.flowTable ?? null
  if (table === null) return null
  const share = table.size === 0 ? 0 : table.used / table.size
  const percent = new Intl.NumberFormat(i18n.language, { style: 'percent', maximumFractionDigits: 1 }).format(share)
  return (
    <Panel title={t('ebpf.cache.title')}>
      <p>
        {t('ebpf.cache.used', {
          used: formatCount(table.used, i18n.language),
          size: formatCount(table.size, i18n.language),
        })}
        <span className="sb-dim"> · {t('ebpf.cache.share', { share: percent })}</span>
      </p>
      <Progress
        value={share * 100}
        color={share > fullEnough ? 'orange' : 'blue'}
        size="sm"
        aria-label={t('ebpf.cache.title')}
        className={styles.bar ?? ''}
      />
      <VerdictRows label={t('ebpf.cache.title')} verdicts={flow} />
      <p className="sb-dim">{t('ebpf.cache.more')}</p>
    </Panel>
  )
}
