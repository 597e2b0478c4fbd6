import { Button, Checkbox, Group, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { CheckRequest } from '../../../core/contract/console.ts'
import type { WireError } from '../../../core/contract/errors.ts'
import type { Fix } from '../../../core/diagnosis/finding.ts'
import { CommandBlock } from '../../components/copy.tsx'
import { InlineError } from '../../components/inline-error.tsx'
import type { AccessInHand } from '../../connection/use-access.ts'
import { checkedHosts, fixesByHost, type KeptReport, openRows, staleHosts } from './check-cells.ts'
import { CheckMatrix } from './check-matrix.tsx'
import { ChecksLimit } from './checks-limit.tsx'
import { Notice } from '../../components/notice.tsx'
import { UnreachableOffer } from './unreachable-offer.tsx'

interface StepHostsProps {
  /** Null while the form cannot be read as a service, and for one by mark. */
  readonly request: CheckRequest | null
  /** A service by mark has no VIP to check hosts for. */
  readonly isByMark: boolean
  readonly reports: ReadonlyMap<string, KeptReport>
  readonly isRunning: boolean
  readonly error: WireError | null
  readonly run: (hosts: readonly string[]) => void
  readonly fix: (fixes: readonly Fix[]) => void
  readonly access: AccessInHand
  /** Rows that the operator goes on without. */
  readonly accepted: readonly string[]
  readonly accept: (rows: readonly string[]) => void
}

/** Hosts against requirements, filled as the hosts answer; every fix shows its commands first. */
export function StepHosts({
  request,
  isByMark,
  reports,
  isRunning,
  error,
  run,
  fix,
  access,
  accepted,
  accept,
}: StepHostsProps) {
  const { t } = useTranslation()
  const [isPlanShown, setPlanShown] = useState(false)
  if (request === null) {
    return isByMark ? (
      <Notice>{t('wizard.hosts.byMark')}</Notice>
    ) : (
      <Text size="sm">{t('wizard.hosts.incomplete')}</Text>
    )
  }
  const fixes = fixesByHost(request, reports)
  const count = [...fixes.values()].reduce((sum, own) => sum + own.length, 0)
  const open = openRows(request, reports)
  const stale = staleHosts(request, reports)
  const isAccepted = open.length > 0 && open.every((row) => accepted.includes(row))
  return (
    <Stack gap="sm">
      <ChecksLimit request={request} />
      <Group gap="xs">
        <Button variant="default" onClick={() => run(checkedHosts(request))} loading={isRunning}>
          {t('wizard.hosts.checkAll')}
        </Button>
        {count > 0 && (
          <Button onClick={() => setPlanShown(true)} disabled={isRunning}>
            {t('wizard.hosts.fixAll', { count })}
          </Button>
        )}
        {stale.length > 0 && !isRunning && reports.size > 0 && (
          <Text size="sm" role="status">
            {t('wizard.hosts.stale', { count: stale.length })}
          </Text>
        )}
      </Group>
      <InlineError error={error} onRetry={() => run(checkedHosts(request))} />
      {!isRunning && <UnreachableOffer request={request} reports={reports} access={access} />}
      {isPlanShown && count > 0 && (
        <FixPlan
          fixes={fixes}
          isRunning={isRunning}
          onCancel={() => setPlanShown(false)}
          onApply={() => {
            fix([...fixes.values()].flat())
            setPlanShown(false)
          }}
        />
      )}
      <CheckMatrix request={request} reports={reports} isRunning={isRunning} onFix={fix} onRun={run} />
      {open.length > 0 && !isRunning && (
        <Checkbox
          label={t('wizard.hosts.accept', { count: open.length })}
          description={t('wizard.hosts.acceptHint')}
          checked={isAccepted}
          onChange={(event) => accept(event.currentTarget.checked ? open : [])}
        />
      )}
    </Stack>
  )
}

/** One plan per host, before anything is touched. */
function FixPlan(props: {
  readonly fixes: ReadonlyMap<string, readonly Fix[]>
  readonly isRunning: boolean
  readonly onApply: () => void
  readonly onCancel: () => void
}) {
  const { t } = useTranslation()
  return (
    <section aria-label={t('wizard.hosts.plan')} className="sb-panel">
      <Stack gap="xs" p="sm">
        <Text size="sm" fw={600}>
          {t('wizard.hosts.plan')}
        </Text>
        <Text size="sm" c="dimmed">
          {t('wizard.hosts.planHint')}
        </Text>
        {[...props.fixes].map(([host, own]) => (
          <CommandBlock
            key={host}
            title={t('wizard.hosts.onHost', { host: host === 'director' ? t('wizard.hosts.director') : host })}
            label={t('wizard.hosts.commandsFor', { host })}
            commands={own.flatMap(({ commands }) => commands)}
          />
        ))}
        <Group gap="xs">
          <Button onClick={props.onApply} disabled={props.isRunning}>
            {t('wizard.hosts.applyFixes', { count: props.fixes.size })}
          </Button>
          <Button variant="default" onClick={props.onCancel}>
            {t('action.cancel')}
          </Button>
        </Group>
      </Stack>
    </section>
  )
}
