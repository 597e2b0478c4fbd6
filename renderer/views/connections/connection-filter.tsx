import { Select, Switch } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { serviceAddress } from '../../../core/model/service.ts'
import { FilterInput } from '../../components/filter-input.tsx'
import type { ServiceView } from '../../store/service-state.ts'
import { type Asked, states } from './connection-query.ts'
import styles from './connections.module.css'

/** What is asked of the table. Another question always begins at its first page. */
export function ConnectionFilter({
  asked,
  services,
  onAsk,
}: {
  readonly asked: Asked
  readonly services: readonly ServiceView[]
  readonly onAsk: (asked: Asked) => void
}) {
  const { t } = useTranslation()
  const put = (change: Partial<Asked>) => onAsk({ ...asked, ...change, page: 0 })
  const inScope = asked.service === null ? services : services.filter(({ key }) => key === asked.service)
  const realServers = [...new Set(inScope.flatMap((view) => view.realServers.map(({ address }) => address)))]
  const select = (
    field: 'service' | 'realServer' | 'state',
    every: string,
    data: Parameters<typeof Select>[0]['data'],
  ) => (
    <Select
      aria-label={t(`connections.${field}`)}
      placeholder={every}
      data={data}
      value={asked[field]}
      onChange={(value) => put({ [field]: value, ...(field === 'service' ? { realServer: null } : {}) })}
      clearable
      searchable={field !== 'state'}
      comboboxProps={{ width: 'max-content', position: 'bottom-start' }}
      className={styles[`${field}Field`]}
    />
  )
  return (
    <div className={styles.filter}>
      <FilterInput
        value={asked.client}
        onChange={(client) => put({ client })}
        label={t('connections.clientFilter')}
        placeholder={t('connections.clientFilter')}
        width={190}
      />
      {select(
        'service',
        t('connections.anyService'),
        services.map(({ key, service }) => {
          const address = serviceAddress(service)
          return { value: key, label: service.name === address ? address : `${service.name} · ${address}` }
        }),
      )}
      {select('realServer', t('connections.anyRealServer'), realServers)}
      {select('state', t('connections.anyState'), [...states])}
      <span title={t('connections.templatesHint')}>
        <Switch
          label={t('connections.templates')}
          checked={asked.hasTemplates}
          onChange={(event) => put({ hasTemplates: event.currentTarget.checked })}
        />
      </span>
    </div>
  )
}
