import { Group, Paper, Text } from '@mantine/core'
import { Fragment } from 'react'
import { useTranslation } from 'react-i18next'
import type { ServiceForm } from '../../../core/model/draft.ts'
import { directRoutingPath } from './packet-path.ts'
import styles from './packet-picture.module.css'

/** The packet's way for the present choice: header fields at each leg, the rewritten ones marked, the reply's path. */
export function PacketPicture({ form }: { readonly form: ServiceForm }) {
  const { t } = useTranslation()
  const vip = form.vip.trim() === '' ? 'VIP' : form.vip.trim()
  const port = form.port.trim() === '' ? 'vport' : form.port.trim()
  const realServer = form.realServers.find(({ address }) => address.trim() !== '')?.address.trim() ?? 'RIP'
  const legs = directRoutingPath(vip, port, realServer)
  return (
    <aside className={styles['picture']} aria-label={t('wizard.packet.title')}>
      <Text size="sm" fw={600} mb={6}>
        {t('wizard.packet.title')}
      </Text>
      {legs.map((leg) => (
        <Fragment key={leg.id}>
          <Group gap={6} className={styles['leg']} wrap="nowrap">
            <span className={styles['host']}>{t(`wizard.packet.${leg.from}`)}</span>
            <span className={leg.id === 'reply' ? styles['arrowReply'] : styles['arrow']} aria-hidden />
            <span className={styles['host']}>{t(`wizard.packet.${leg.to}`)}</span>
          </Group>
          <Paper withBorder p={6} mb="xs" radius="sm">
            <dl className={styles['fields']}>
              {leg.fields.map((field) => (
                <Fragment key={field.name}>
                  <dt>{t(`wizard.packet.field.${field.name}`)}</dt>
                  <dd className={field.isRewritten ? styles['rewritten'] : undefined}>
                    {field.value}
                    {field.isRewritten && <span className={styles['mark']}> {t('wizard.packet.rewritten')}</span>}
                  </dd>
                </Fragment>
              ))}
            </dl>
          </Paper>
        </Fragment>
      ))}
      <Text size="xs" c="dimmed">
        {t('wizard.packet.note')}
      </Text>
    </aside>
  )
}
