import { Button } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { methodNames } from '../../../core/model/dataplane.ts'
import type { VirtualService } from '../../../core/model/service.ts'
import { useAccess } from '../../connection/use-access.ts'
import { InlineError } from '../../components/inline-error.tsx'
import { Panel } from '../../components/page.tsx'
import { useHindrance } from '../../store/selectors.ts'
import type { ServiceView } from '../../store/service-state.ts'
import { checkedHosts } from '../wizard/check-cells.ts'
import { CheckMatrix } from '../wizard/check-matrix.tsx'
import { checkRequestFor } from '../wizard/check-request.ts'
import { ChecksLimit } from '../wizard/checks-limit.tsx'
import { UnreachableOffer } from '../wizard/unreachable-offer.tsx'
import { useChecks } from '../wizard/use-checks.ts'

/** The same rules that the wizard checks, on a service that is live: read only when asked, since it logs in to each host. */
export function HostChecks({ directorId, view }: { readonly directorId: string; readonly view: ServiceView }) {
  const { t } = useTranslation()
  const isOffline = useHindrance(directorId) === 'offline'
  const [isShown, setIsShown] = useState(false)
  const access = useAccess(isShown ? directorId : null)
  const { service } = view
  const hasVip = service.vip !== undefined
  // The service's own words decide, not the view: that is new with every sample.
  const words = JSON.stringify(service)
  const request = useMemo(
    () => (access.isKnown ? checkRequestFor(directorId, JSON.parse(words) as VirtualService, true, access.of) : null),
    [access.isKnown, access.of, directorId, words],
  )
  const checks = useChecks(request, isShown)
  return (
    <Panel
      title={t('service.hostChecks.title')}
      aside={
        <Button
          variant="default"
          size="compact-xs"
          disabled={isOffline || !hasVip}
          loading={checks.isRunning}
          onClick={() => {
            setIsShown(true)
            if (request !== null) checks.run(checkedHosts(request))
          }}
        >
          {isShown ? t('service.hostChecks.again') : t('service.hostChecks.run')}
        </Button>
      }
    >
      <InlineError error={access.error ?? checks.error} onRetry={access.reload} />
      {!isShown && (
        <p className="sb-dim">
          {hasVip
            ? t('service.hostChecks.hint', { mode: methodNames[service.forwarding] })
            : t('service.hostChecks.byMark')}
        </p>
      )}
      {request !== null && isShown && (
        <>
          <ChecksLimit request={request} />
          {!checks.isRunning && <UnreachableOffer request={request} reports={checks.reports} access={access} />}
          <CheckMatrix
            request={request}
            reports={checks.reports}
            isRunning={checks.isRunning}
            onFix={checks.fix}
            onRun={checks.run}
          />
        </>
      )}
    </Panel>
  )
}
