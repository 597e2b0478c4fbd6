import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { serviceAddress } from '../../../core/model/service.ts'
import { paths } from '../../app/paths.ts'
import { Address } from '../../components/address.tsx'
import { ServiceTags, protocolWord } from '../../components/service-tags.tsx'
import { useServiceSentence } from '../../components/service-words.ts'
import { Sparkline } from '../../components/sparkline.tsx'
import { StatusMark } from '../../components/status-mark.tsx'
import { Time } from '../../components/time.tsx'
import { formatSi } from '../../format/number.ts'
import { latest } from '../../series/rates.ts'
import { useDirector } from '../../store/selectors.ts'
import type { ServiceView } from '../../store/service-state.ts'
import { useServiceRates } from '../../store/use-series.ts'
import styles from './overview.module.css'

/** One service on the board; the whole card leads to its page. */
export function ServiceCard({ directorId, view }: { readonly directorId: string; readonly view: ServiceView }) {
  const { t, i18n } = useTranslation()
  const { service, key } = view
  const sentence = useServiceSentence()
  const skewMs = useDirector(directorId)?.session.clockSkewMs ?? 0
  const points = useServiceRates(directorId, key, 'connections')
  const rate = latest(points)
  const changedAtMs = Math.max(0, ...view.realServers.flatMap(({ measured }) => measured?.sinceMs ?? []))
  return (
    <Link
      href={paths.service(directorId, key)}
      className={styles.card}
      data-status={view.status}
      data-foreign={view.isForeign || undefined}
    >
      <div className={styles.cardHead}>
        <h2 className={`sb-cut ${styles.cardName}`} title={service.name}>
          {service.name}
        </h2>
        <StatusMark status={view.status} />
      </div>
      <div className={styles.cardFacts}>
        <span className={styles.cardAddress}>
          <Address text={serviceAddress(service)} />
          <span className="sb-dim">{protocolWord(service)}</span>
        </span>
        <ServiceTags view={view} />
      </div>
      <p className={styles.cardSentence}>{sentence(view.counts)}</p>
      <div className={styles.cardRate}>
        <Sparkline points={points} height={30} />
        <span className={styles.cardValue}>
          <strong>{rate === null ? '–' : formatSi(rate, i18n.language)}</strong>{' '}
          <span className={styles.unit}>{t('unit.connections/s')}</span>
        </span>
      </div>
      <p className={styles.note}>
        {changedAtMs > 0 ? (
          <>
            {t('overview.lastChange')} <Time atMs={changedAtMs} skewMs={skewMs} />
          </>
        ) : (
          t(view.isForeign ? 'foreign.sentence' : 'overview.noChangeYet')
        )}
      </p>
    </Link>
  )
}
