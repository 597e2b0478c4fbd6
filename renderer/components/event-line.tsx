import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { eventSentence } from '../../core/model/event-sentences.ts'
import type { DirectorEvent } from '../../core/model/telemetry.ts'
import { paths } from '../app/paths.ts'
import styles from './event-line.module.css'
import { StatusShape } from './status-mark.tsx'
import { Time } from './time.tsx'
import type { Status } from '../store/service-state.ts'

const shapes: Record<DirectorEvent['kind'], Status> = {
  health: 'degraded',
  apply: 'draining',
  confirm: 'up',
  revert: 'degraded',
  drift: 'degraded',
  agent: 'unknown',
  neighbour: 'degraded',
  role: 'unknown',
}

function shapeOf(event: DirectorEvent): Status {
  if (event.message === 'health.up' || event.message === 'neighbour.found' || event.message === 'drift.gone')
    return 'up'
  if (event.message === 'health.down' || event.message === 'apply.broken' || event.message === 'revert.incomplete') {
    return 'down'
  }
  return shapes[event.kind]
}

/** What happened on the director, when, and where to look at it. */
export function EventLine({
  event,
  directorId,
  skewMs,
  serviceName,
}: {
  readonly event: DirectorEvent
  readonly directorId: string
  readonly skewMs: number
  readonly serviceName: string | undefined
}) {
  const { i18n } = useTranslation()
  const said = {
    message: event.message,
    params: { service: event.service ?? '', realServer: event.realServer ?? '', ...event.params },
  }
  return (
    <li className={styles.event}>
      <Time atMs={event.atMs} skewMs={skewMs} />
      <StatusShape status={shapeOf(event)} size={10} />
      <span className={styles.text}>
        {eventSentence(said, i18n.language === 'zh-CN' ? 'zh-CN' : 'en')}
        {event.service !== null && serviceName !== undefined && (
          <>
            {' '}
            <Link className="sb-link" href={paths.service(directorId, event.service)}>
              {serviceName}
            </Link>
          </>
        )}
      </span>
    </li>
  )
}
