import { Text } from '@mantine/core'
import { Fragment } from 'react'
import { useTranslation } from 'react-i18next'
import { ForwardingMethod, methodNames, repliesPassDirector } from '../../../core/model/dataplane.ts'
import type { ServiceForm } from '../../../core/model/draft.ts'
import { isForEveryPort } from './form.ts'
import { type PacketEnd, packetPath } from './packet-path.ts'
import styles from './packet-picture.module.css'

const typed = (text: string | undefined, otherwise: string): string =>
  text === undefined || text.trim() === '' ? otherwise : text.trim()

/** The packet's way for the present choice: header fields at each leg, the rewritten ones marked, the reply's path. */
export function PacketPicture({ form }: { readonly form: ServiceForm }) {
  const { t } = useTranslation()
  const method = ForwardingMethod.safeParse(form.forwarding).data ?? 'dr'
  const first = form.realServers.find(({ address }) => address.trim() !== '')
  const port = isForEveryPort(form) ? '*' : typed(form.port, 'vport')
  const legs = packetPath({
    forwarding: method,
    vip: form.matchBy === 'fwmark' ? `fwmark ${typed(form.fwmark, 'n')}` : typed(form.vip, 'VIP'),
    port,
    realServer: typed(first?.address, 'RIP'),
    realPort: typed(first?.port, form.portsDiffer && port !== '*' ? 'rport' : port),
    local: typed(form.localAddresses[0], 'LIP'),
    isNear: form.placement === 'sameNetwork',
  })
  const title = t('wizard.packet.title', { mode: methodNames[method] })
  return (
    <aside className={styles.picture} aria-label={title}>
      <Text size="sm" fw={600} mb={8}>
        {title}
      </Text>
      <ol className={styles.legs}>
        {legs.map((leg) => (
          <li key={leg.id} className={styles.leg} data-back={leg.id === 'reply' || leg.id === 'returned' || undefined}>
            <div className={styles.way}>
              <span className={styles.host}>{t(`wizard.packet.${leg.from}`)}</span>
              <span className={styles.arrow} aria-hidden />
              <span className={styles.host}>{t(`wizard.packet.${leg.to}`)}</span>
            </div>
            <dl className={styles.fields}>
              {leg.fields.map((field) => (
                <Fragment key={field.name}>
                  <dt>
                    {field.name === 'outer'
                      ? t('wizard.packet.field.outer', { type: form.tunnel.type.toUpperCase() })
                      : t(`wizard.packet.field.${field.name}`)}
                  </dt>
                  <dd>
                    <End end={field.from} /> → <End end={field.to} />
                  </dd>
                </Fragment>
              ))}
            </dl>
          </li>
        ))}
      </ol>
      <Text size="xs" c="dimmed">
        {t(repliesPassDirector(method) ? 'wizard.packet.replyThrough' : 'wizard.packet.replyPast')}
        {method === 'fullnat' && ` ${t('wizard.packet.hidesClient')}`}
        {method === 'tun' && ` ${t('wizard.packet.outerHint')}`}
      </Text>
    </aside>
  )
}

function End({ end: { value, isRewritten } }: { readonly end: PacketEnd }) {
  const { t } = useTranslation()
  if (!isRewritten) return <span>{value}</span>
  return (
    <mark className={styles.rewritten} title={t('wizard.packet.rewritten')}>
      {value}
      <span className="sb-hidden"> ({t('wizard.packet.rewritten')})</span>
    </mark>
  )
}
