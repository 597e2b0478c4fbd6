import { Handle, type Node, type NodeProps, Position } from '@xyflow/react'
import { useTranslation } from 'react-i18next'
import { serviceAddress } from '../../../core/model/service.ts'
import { Address } from '../../components/address.tsx'
import { ServiceTags, protocolWord } from '../../components/service-tags.tsx'
import { useServiceSentence } from '../../components/service-words.ts'
import { StatusMark, StatusShape } from '../../components/status-mark.tsx'
import { formatSi } from '../../format/number.ts'
import type { RealServerView, ServiceView, Status } from '../../store/service-state.ts'
import { namedServers, replyOffset } from './layout.ts'
import { Matrix } from './matrix.tsx'
import styles from './topology.module.css'

/** What is selected on the map. */
export type Selection =
  | { readonly kind: 'director' }
  | { readonly kind: 'service'; readonly key: string }
  | { readonly kind: 'realServer'; readonly service: string; readonly key: string }

interface Common extends Record<string, unknown> {
  readonly isDimmed: boolean
  readonly isSelected: boolean
}
export type ClientsNode = Node<Common & { readonly rate: number | null }, 'clients'>
export type DirectorNode = Node<
  Common & { readonly name: string; readonly status: Status; readonly word: string; readonly vips: number },
  'director'
>
export type VipNode = Node<Common & { readonly view: ServiceView; readonly rate: number | null }, 'vip'>
export type PoolNode = Node<
  Common & {
    readonly view: ServiceView
    readonly selectedKey: string | null
    readonly onSelect: (server: RealServerView) => void
  },
  'pool'
>
export type MapNode = ClientsNode | DirectorNode | VipNode | PoolNode

const classOf = ({ isDimmed, isSelected }: Common, isForeign = false): string =>
  [styles.card, isForeign && styles.foreign, isDimmed && styles.dimmed, isSelected && styles.selected]
    .filter((name) => name !== false)
    .join(' ')

/** Where replies that go back through the director come in and go out: beside the requests. */
const beside = { top: `calc(50% + ${replyOffset}px)` } as const
const besideX = { left: `calc(50% + ${replyOffset}px)` } as const

function Clients({ data }: NodeProps<ClientsNode>) {
  const { t, i18n } = useTranslation()
  return (
    <div className={classOf(data)}>
      <div className={styles.cardTitle}>{t('topology.clients')}</div>
      <div className={styles.cardText}>
        {data.rate === null ? t('chart.noSample') : `${formatSi(data.rate, i18n.language)} ${t('unit.connections/s')}`}
      </div>
      <Handle type="source" position={Position.Bottom} isConnectable={false} />
      <Handle type="target" position={Position.Top} id="reply" isConnectable={false} />
      <Handle type="target" position={Position.Bottom} id="back" style={besideX} isConnectable={false} />
    </div>
  )
}

function Director({ data }: NodeProps<DirectorNode>) {
  const { t } = useTranslation()
  return (
    <div className={classOf(data)}>
      <div className={`sb-cut ${styles.cardTitle}`} title={data.name}>
        {data.name}
      </div>
      <StatusMark status={data.status} label={data.word} />
      <div className={styles.cardText}>{t('topology.holds', { count: data.vips })}</div>
      <Handle type="target" position={Position.Top} isConnectable={false} />
      <Handle type="source" position={Position.Right} isConnectable={false} />
      <Handle type="target" position={Position.Right} id="back" style={beside} isConnectable={false} />
      <Handle type="source" position={Position.Top} id="back" style={besideX} isConnectable={false} />
    </div>
  )
}

function Vip({ data }: NodeProps<VipNode>) {
  const { t, i18n } = useTranslation()
  const { service, isForeign } = data.view
  return (
    <div className={classOf(data, isForeign)}>
      <span className={`sb-cut ${styles.cardTitle}`} title={service.name}>
        {service.name}
      </span>
      <div className={styles.cardAddress}>
        <Address text={serviceAddress(service)} />
        <span className={styles.cardText}>{protocolWord(service)}</span>
      </div>
      <ServiceTags view={data.view} isOneLine />
      <div className={styles.cardText}>
        {data.rate === null ? t('chart.noSample') : `${formatSi(data.rate, i18n.language)} ${t('unit.connections/s')}`}
      </div>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <Handle type="source" position={Position.Right} isConnectable={false} />
      <Handle type="target" position={Position.Right} id="back" style={beside} isConnectable={false} />
      <Handle type="source" position={Position.Left} id="back" style={beside} isConnectable={false} />
    </div>
  )
}

function Pool({ data }: NodeProps<PoolNode>) {
  const { t } = useTranslation()
  const sentence = useServiceSentence()
  const { view } = data
  return (
    <div className={classOf(data, view.isForeign)}>
      <StatusMark status={view.status} />
      <span className={`sb-cut ${styles.cardText}`} title={sentence(view.counts)}>
        {sentence(view.counts)}
      </span>
      <Matrix
        label={t('topology.poolOf', { name: view.service.name })}
        servers={view.realServers}
        selectedKey={data.selectedKey}
        onSelect={data.onSelect}
      />
      {view.realServers.length <= namedServers && (
        <ul className={styles.named}>
          {view.realServers.map((server) => (
            <li key={server.key}>
              <button
                type="button"
                className={`nodrag nopan ${styles.server}`}
                aria-pressed={server.key === data.selectedKey}
                onClick={(event) => {
                  event.stopPropagation()
                  data.onSelect(server)
                }}
              >
                <StatusShape status={server.status} size={9} />
                <span className={styles.serverKey}>
                  <Address text={server.key} />
                </span>
                <span className="sb-hidden">{t(`status.${server.status}`)}</span>
                <span className={styles.serverWeight}>{t('topology.weight', { weight: server.desired.weight })}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <Handle type="source" position={Position.Right} id="reply" isConnectable={false} />
      <Handle type="source" position={Position.Left} id="back" style={beside} isConnectable={false} />
    </div>
  )
}

export const nodeTypes = { clients: Clients, director: Director, vip: Vip, pool: Pool }
