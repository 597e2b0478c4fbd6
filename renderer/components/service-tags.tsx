import { useTranslation } from 'react-i18next'
import { dataplaneNames, methodNames } from '../../core/model/dataplane.ts'
import { familyOfService } from '../../core/model/service-rules.ts'
import type { Tunnel, VirtualService } from '../../core/model/service.ts'
import type { ServiceView } from '../store/service-state.ts'
import { Tag } from './page.tsx'
import styles from './service-tags.module.css'

/** `GUE :6080`, `IPIP`: how packets travel to a tunnel real server. */
export const tunnelWord = ({ type, port }: Tunnel): string =>
  `${type.toUpperCase()}${port === undefined ? '' : ` :${port}`}`

/** `UDP`; of a service by mark the family, since the mark carries every protocol. */
export const protocolWord = (service: VirtualService): string =>
  service.fwmark === undefined ? service.protocol.toUpperCase() : familyOfService(service) === 'ipv6' ? 'IPv6' : 'IPv4'

interface Word {
  readonly text: string
  readonly title?: string
}

/** What a service is: how packets reach the real servers, what carries them, who chooses, and who stays. */
function useWords({ service, realServers }: ServiceView): readonly Word[] {
  const { t } = useTranslation()
  const methods = [...new Set([service.forwarding, ...realServers.map(({ forwarding }) => forwarding)])]
  const tunnels = [...new Set(realServers.flatMap(({ tunnel }) => (tunnel === null ? [] : [tunnelWord(tunnel)])))]
  const { persistence, scheduler, schedulerFlags } = service
  const words: Word[] = [
    { text: [methods.map((method) => methodNames[method]).join(' + '), ...tunnels].join(' ') },
    { text: dataplaneNames[service.dataplane] },
    { text: [scheduler, ...schedulerFlags.map((flag) => `+${flag}`)].join(' ') },
  ]
  if (persistence !== undefined) {
    const { timeoutSec, prefixLength, engine } = persistence
    const more = [
      ...(prefixLength === undefined ? [] : [`/${prefixLength}`]),
      ...(engine === undefined ? [] : [engine]),
    ]
    const text = [t('service.persistent', { seconds: timeoutSec }), ...more].join(' ')
    words.push({ text, title: t('service.persistenceHint') })
  }
  if (service.onePacket === true) words.push({ text: t('service.onePacket'), title: t('service.onePacketHint') })
  return words
}

/** What a service is, in small words and in the same order everywhere. */
export function ServiceTags({
  view,
  isOneLine = false,
}: {
  readonly view: ServiceView
  /** What does not fit is cut, and all of it stands on hover: rows of tables, cards of a fixed height. */
  readonly isOneLine?: boolean
}) {
  const { t } = useTranslation()
  const words = useWords(view)
  const all = [...(view.isForeign ? [t('foreign.mark')] : []), ...words.map(({ text }) => text)].join(', ')
  return (
    <span className={isOneLine ? styles.line : styles.tags} title={isOneLine ? all : undefined}>
      {view.isForeign && (
        <Tag tone="foreign" title={t('foreign.sentence')}>
          {t('foreign.mark')}
        </Tag>
      )}
      {words.map(({ text, title }) => (
        <Tag key={text} title={title}>
          {text}
        </Tag>
      ))}
    </span>
  )
}
