import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { formatEndpoint } from '../../../core/model/address.ts'
import type { Connection } from '../../../core/model/connection.ts'
import { Address } from '../../components/address.tsx'
import type { Column } from '../../components/data-table.tsx'
import { Tag } from '../../components/page.tsx'
import { formatCount } from '../../format/number.ts'
import styles from './connections.module.css'

/** Client, VIP and real server in the direction of the packets. The agent sorts: each column has the query's own name. */
export function useConnectionColumns(): readonly Column<Connection>[] {
  const { t, i18n } = useTranslation()
  return useMemo(() => {
    const endpoint = (address: string, port: number, isNext: boolean) => (
      <span className={styles.endpoint} title={port === 0 ? t('connections.everyPort') : undefined}>
        {isNext && (
          <span className="sb-dim" aria-hidden="true">
            →
          </span>
        )}
        <Address text={formatEndpoint(address, port)} />
      </span>
    )
    const columns: Column<Connection>[] = [
      {
        id: 'protocol',
        header: t('connections.protocol'),
        width: 76,
        cell: ({ protocol }) => protocol.toUpperCase(),
      },
      {
        id: 'client',
        header: t('connections.client'),
        least: 148,
        sortBy: ({ clientAddress }) => clientAddress,
        cell: (row) => endpoint(row.clientAddress, row.clientPort, false),
      },
      {
        id: 'vip',
        header: t('column.vip'),
        least: 148,
        sortBy: ({ vip }) => vip,
        cell: ({ vip, port, fwmark }) => (vip === '' ? `→ fwmark ${fwmark ?? ''}` : endpoint(vip, port, true)),
      },
      {
        id: 'realServer',
        header: t('column.realServer'),
        least: 148,
        sortBy: ({ realServer }) => realServer.address,
        cell: ({ realServer }) => endpoint(realServer.address, realServer.port, true),
      },
      {
        id: 'state',
        header: t('connections.state'),
        width: 154,
        sortBy: ({ state }) => state,
        cell: ({ state, isTemplate }) => (
          <span className={styles.state}>
            <span className="sb-mono">{state}</span>
            {isTemplate && <Tag title={t('connections.templatesHint')}>{t('connections.template')}</Tag>}
          </span>
        ),
      },
      ...(['packets', 'bytes'] as const).map(
        (id): Column<Connection> => ({
          id,
          header: t(`connections.${id}`),
          width: 92,
          align: 'end',
          sortBy: (row) => row[id] ?? -1,
          cell: (row) => {
            const value = row[id]
            if (value !== null) return formatCount(value, i18n.language)
            return (
              <span className="sb-dim" title={t('connections.noBytes')}>
                –
              </span>
            )
          },
        }),
      ),
      {
        id: 'expires',
        header: t('connections.expires'),
        width: 104,
        align: 'end',
        sortBy: ({ expiresSec }) => expiresSec,
        cell: ({ expiresSec }) => formatCount(expiresSec, i18n.language),
      },
    ]
    return columns
  }, [t, i18n.language])
}

/** Two rows of one table never share it: a connection is its protocol and both ends, a template has no client port. */
export const connectionKey = (row: Connection): string =>
  [row.dataplane, row.protocol, row.clientAddress, row.clientPort, row.vip, row.port, row.fwmark, row.isTemplate].join(
    ' ',
  )
