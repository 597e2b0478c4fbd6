import { Button } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { CheckRequest } from '../../../core/contract/console.ts'
import { client } from '../../connection/client.ts'
import { useFetched } from '../../connection/use-call.ts'
import { InlineError } from '../../components/inline-error.tsx'
import { Panel } from '../../components/page.tsx'
import { useHindrance } from '../../store/selectors.ts'
import type { ServiceView } from '../../store/service-state.ts'
import { CheckMatrix } from '../wizard/check-matrix.tsx'
import { useChecks } from '../wizard/use-checks.ts'

/** The same rules that the wizard checks, on a service that is live: read only when asked, since it logs in to each host. */
export function HostChecks({ directorId, view }: { readonly directorId: string; readonly view: ServiceView }) {
  const { t } = useTranslation()
  const isOffline = useHindrance(directorId) === 'offline'
  const [isShown, setIsShown] = useState(false)
  const access = useFetched(isShown ? directorId : null, (signal) =>
    client.call('access.list', { directorId }, { signal }),
  )
  const { service } = view
  // The service's own fields decide, not the view: that is new with every sample.
  const servers = JSON.stringify(service.realServers.map(({ address, port }) => [address, port]))
  const request = useMemo(
    (): CheckRequest | null =>
      access.value === null || service.vip === undefined
        ? null
        : {
            directorId,
            vip: service.vip,
            port: service.port,
            forwarding: service.forwarding,
            dataplane: service.dataplane,
            allowOwnAddress: service.allowOwnAddress ?? false,
            announce: service.announce,
            isLive: true,
            realServers: (JSON.parse(servers) as [string, number][]).map(([address, port]) => ({
              address,
              port,
              access: access.value?.[address] ?? { kind: 'direct' },
            })),
          },
    [
      access.value,
      directorId,
      service.vip,
      service.port,
      service.forwarding,
      service.dataplane,
      service.announce,
      service.allowOwnAddress,
      servers,
    ],
  )
  const checks = useChecks(request, isShown)
  return (
    <Panel
      title={t('service.hostChecks.title')}
      aside={
        <Button
          variant="default"
          size="compact-xs"
          disabled={isOffline}
          loading={checks.isRunning}
          onClick={() => {
            setIsShown(true)
            if (request !== null) {
              checks.run(['director', ...request.realServers.map(({ address }) => address)])
            }
          }}
        >
          {isShown ? t('service.hostChecks.again') : t('service.hostChecks.run')}
        </Button>
      }
    >
      <InlineError error={access.error ?? checks.error} onRetry={access.reload} />
      {!isShown && <p className="sb-dim">{t('service.hostChecks.hint')}</p>}
      {request !== null && isShown && (
        <CheckMatrix
          request={request}
          reports={checks.reports}
          isRunning={checks.isRunning}
          onFix={checks.fix}
          onRun={checks.run}
        />
      )}
    </Panel>
  )
}
