import { useTranslation } from 'react-i18next'
import { type ForwardingMethod, repliesPassDirector } from '../../core/model/dataplane.ts'
import { formatWithUnit } from '../format/number.ts'

/** Traffic of the replies; where the method leads them past the director, that is said, since it is not nothing. */
export function OutRate({ bits, forwarding }: { readonly bits: number | null; readonly forwarding: ForwardingMethod }) {
  const { t, i18n } = useTranslation()
  if (!repliesPassDirector(forwarding)) {
    return (
      <span className="sb-dim" title={t('service.pastDirectorHint')}>
        {t('service.pastDirector')}
      </span>
    )
  }
  return bits === null ? '–' : formatWithUnit(bits, 'bit/s', i18n.language)
}
