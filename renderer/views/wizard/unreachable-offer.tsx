import { Button, Stack } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { CheckRequest } from '../../../core/contract/console.ts'
import { Notice } from '../../components/notice.tsx'
import type { AccessInHand } from '../../connection/use-access.ts'
import { hostsOutOfReach, type KeptReport } from './check-cells.ts'

/**
 * Real servers that this workstation has no way to are often in a network behind the director: the way through it stands
 * where their checks failed. With another access the hosts are read again by themselves.
 */
export function UnreachableOffer({
  request,
  reports,
  access,
}: {
  readonly request: CheckRequest
  readonly reports: ReadonlyMap<string, KeptReport>
  readonly access: AccessInHand
}) {
  const { t } = useTranslation()
  const hosts = hostsOutOfReach(request, reports)
  if (hosts.length === 0) return null
  return (
    <Stack gap={6}>
      <Notice>
        {t('wizard.hosts.outOfReach', { count: hosts.length })} <span className="sb-mono">{hosts.join(', ')}</span>
      </Notice>
      <div>
        <Button
          variant="default"
          loading={access.isSetting}
          onClick={() => void access.set(hosts, { kind: 'throughDirector' })}
        >
          {t('wizard.hosts.throughDirector', { count: hosts.length })}
        </Button>
      </div>
    </Stack>
  )
}
