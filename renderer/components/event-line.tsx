import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
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
}

function shapeOf(event: DirectorEvent): Status {
  if (event.kind !== 'health') return shapes[event.kind]
  if (/up/i.test(event.message)) return 'up'
  return /down/i.test(event.message) ? 'down' : shapes.health
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
  const { t } = useTranslation()
  return (
    <li className={styles.event}>
      <Time atMs={event.atMs} skewMs={skewMs} />
      <StatusShape status={shapeOf(event)} size={10} />
      <span className={styles.text}>
        {t(`event.${event.message}`, { ...event.params, service: serviceName ?? event.service ?? '', realServer: event.realServer ?? '' })}
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
