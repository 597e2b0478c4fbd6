import { ActionIcon, Button, Tooltip } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ConnectionQuery } from '../../../core/model/connection.ts'
import { paths } from '../../app/paths.ts'
import { CopyTextButton } from '../../components/copy.tsx'
import { DataTable } from '../../components/data-table.tsx'
import { Icon } from '../../components/icon.tsx'
import { InlineError } from '../../components/inline-error.tsx'
import { Page, Panel } from '../../components/page.tsx'
import { Empty, LoadingRows, Stale, StaleNotice } from '../../components/states.tsx'
import { Time } from '../../components/time.tsx'
import { client } from '../../connection/client.ts'
import { usePolled } from '../../connection/use-polled.ts'
import { formatCount } from '../../format/number.ts'
import { useDirector, useDirectorState, useFreshness } from '../../store/selectors.ts'
import { useServices } from '../../store/use-services.ts'
import { connectionKey, useConnectionColumns } from './connection-columns.tsx'
import { ConnectionFilter } from './connection-filter.tsx'
import { type Asked, csvOf, everything, isFiltered, pageSize, queryOf } from './connection-query.ts'
import styles from './connections.module.css'

const everyMs = 2000
const typingMs = 250

/** The connections that both dataplanes know at the moment, one page at a time: filtered, sorted and cut by the agent. */
export default function ConnectionsView({
  directorId,
  serviceKey,
}: {
  readonly directorId: string
  /** Only this service's at first. */
  readonly serviceKey: string | null
}) {
  const { t, i18n } = useTranslation()
  const [asked, setAsked] = useState<Asked>({ ...everything, service: serviceKey })
  const [isPaused, setIsPaused] = useState(false)
  const freshness = useFreshness(directorId)
  const entry = useDirector(directorId)
  const ipvs = useDirectorState(directorId)?.observed.ipvs
  const services = useServices(directorId)
  const hasEbpf = services.some(({ service }) => service.dataplane === 'ebpf')
  const columns = useConnectionColumns()
  const [typed] = useDebouncedValue(asked, typingMs)
  const query = queryOf(typed)
  const canRead = hasEbpf || ipvs?.availability === 'ready'
  const page = usePolled(
    freshness === 'live' && canRead && query !== null ? JSON.stringify([directorId, query]) : null,
    isPaused ? null : everyMs,
    async (signal) => {
      const input = query ?? {}
      // With where it begins: while the next page is on its way this one is still shown.
      return {
        first: query?.offset ?? 0,
        ...(await client.call('director.connections.list', { directorId, input }, { signal })),
      }
    },
  )
  const { value } = page
  const count = (number: number) => formatCount(number, i18n.language)
  const name = entry?.profile.name ?? directorId
  const lastPage = value === null ? asked.page : Math.max(0, Math.ceil(value.matched / pageSize) - 1)
  // The table shrinks while it is looked at.
  useEffect(() => {
    if (asked.page > lastPage) setAsked((before) => ({ ...before, page: lastPage }))
  }, [asked.page, lastPage])

  const table = () => {
    if (
      !hasEbpf &&
      ipvs !== undefined &&
      (ipvs.availability === 'module-missing' || ipvs.availability === 'no-permission')
    ) {
      return (
        <Panel>
          <Empty
            icon="connections"
            sentence={t('connections.missing', { name })}
            more={t(`ipvs.remedy.${ipvs.availability}`)}
            action={{ label: t('connections.showIpvs'), href: paths.view(directorId, 'ipvs') }}
          />
        </Panel>
      )
    }
    if (services.length === 0) {
      return (
        <Panel>
          <Empty
            icon="connections"
            sentence={t('connections.noServices', { name })}
            more={t('connections.noServicesMore')}
            action={{ label: t('nav.services'), href: paths.view(directorId, 'services') }}
          />
        </Panel>
      )
    }
    return (
      <>
        <ConnectionFilter asked={asked} services={services} onAsk={setAsked} />
        {query === null && (
          <p role="alert" className={styles.wrong}>
            {t('connections.clientWrong', { found: typed.client })}
          </p>
        )}
        <InlineError error={page.error} onRetry={page.reload} />
        {value?.isCut === true && (
          <p className={styles.cut}>
            <Icon name="info" /> {t('connections.cut', { total: count(value.total) })}
          </p>
        )}
        <div className={styles.tableBox}>
          {value === null ? (
            page.error === null && <LoadingRows rows={12} />
          ) : (
            <DataTable
              label={t('nav.connections')}
              rows={value.rows}
              columns={columns}
              rowKey={connectionKey}
              sort={{ id: asked.sortBy, isDescending: asked.isDescending }}
              onSort={({ id, isDescending }) => {
                const sortBy = ConnectionQuery.shape.sortBy.safeParse(id)
                if (sortBy.success) setAsked({ ...asked, sortBy: sortBy.data ?? 'client', isDescending, page: 0 })
              }}
              empty={
                isFiltered(asked) ? (
                  <Empty
                    icon="connections"
                    sentence={t('connections.noMatch')}
                    action={{ label: t('connections.clear'), onClick: () => setAsked(everything) }}
                  />
                ) : (
                  <Empty icon="connections" sentence={t('connections.none')} more={t('connections.noneMore')} />
                )
              }
            />
          )}
          {value !== null && (
            <div className={styles.foot}>
              <span role="status" aria-live="off">
                {t('connections.showing', { shown: count(value.rows.length), matched: count(value.matched) })}
                {value.rows.length > 0 &&
                  ` · ${t('connections.rows', { from: count(value.first + 1), to: count(value.first + value.rows.length) })}`}
                {value.matched < value.total && ` · ${t('connections.inTable', { total: count(value.total) })}`}
              </span>
              <span>
                {t('connections.asOf')} <Time atMs={value.takenAtMs} skewMs={entry?.session.clockSkewMs ?? 0} />
                {isPaused && ` · ${t('connections.paused')}`}
              </span>
              <span className={styles.pages}>
                <Tooltip label={t('connections.previous')}>
                  <ActionIcon
                    aria-label={t('connections.previous')}
                    disabled={asked.page === 0}
                    onClick={() => setAsked({ ...asked, page: asked.page - 1 })}
                  >
                    <span className={styles.back}>
                      <Icon name="chevronRight" />
                    </span>
                  </ActionIcon>
                </Tooltip>
                <Tooltip label={t('connections.next')}>
                  <ActionIcon
                    aria-label={t('connections.next')}
                    disabled={asked.page >= lastPage}
                    onClick={() => setAsked({ ...asked, page: asked.page + 1 })}
                  >
                    <Icon name="chevronRight" />
                  </ActionIcon>
                </Tooltip>
              </span>
            </div>
          )}
        </div>
        <p className={styles.note}>
          {t('connections.clientSide')} {!isPaused && t('connections.every')}
        </p>
      </>
    )
  }

  return (
    <Page
      isFilled
      title={t('nav.connections')}
      actions={
        services.length > 0 &&
        canRead && (
          <>
            {isPaused && (
              <Button variant="default" leftSection={<Icon name="reload" size={14} />} onClick={page.reload}>
                {t('connections.refresh')}
              </Button>
            )}
            <Button
              variant="default"
              leftSection={<Icon name={isPaused ? 'play' : 'pause'} size={14} />}
              onClick={() => setIsPaused(!isPaused)}
            >
              {t(isPaused ? 'connections.resume' : 'connections.pause')}
            </Button>
            <CopyTextButton text={() => Promise.resolve(csvOf(value?.rows ?? []))} label={t('connections.copy')} />
          </>
        )
      }
    >
      <StaleNotice directorId={directorId} />
      <Stale freshness={freshness}>
        <div className={styles.stack}>{table()}</div>
      </Stale>
    </Page>
  )
}
