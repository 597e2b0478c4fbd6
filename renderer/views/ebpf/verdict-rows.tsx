import { useTranslation } from 'react-i18next'
import { formatCount } from '../../format/number.ts'
import type { Verdict } from '../../series/verdicts.ts'
import styles from './ebpf.module.css'

/** Counters with what they mean: the words of this console where it has them, the name as the program has it always. */
export function VerdictRows({ label, verdicts }: { readonly label: string; readonly verdicts: readonly Verdict[] }) {
  const { t, i18n } = useTranslation()
  const count = (value: number) => formatCount(value, i18n.language)
  return (
    <table className={styles.table} aria-label={label}>
      <thead>
        <tr>
          <th scope="col">{t('ebpf.verdicts.meaning')}</th>
          <th scope="col" className="sb-num">
            {t('ebpf.verdicts.rate')}
          </th>
          <th scope="col" className="sb-num">
            {t('ebpf.verdicts.total')}
          </th>
        </tr>
      </thead>
      <tbody>
        {verdicts.map(({ name, total, rate }) => (
          <tr key={name} className={total === 0 ? 'sb-dim' : undefined}>
            <th scope="row" title={name}>
              {t(`ebpf.verdict.${name}` as 'ebpf.verdict.LB_FWD', { defaultValue: name })}
              <span className={styles.name}>{name}</span>
            </th>
            <td className="sb-num">{rate === null ? '–' : count(Math.round(rate))}</td>
            <td className="sb-num">{count(total)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
