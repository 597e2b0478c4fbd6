import { Button, Group, Stack, Text } from '@mantine/core'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { ClusterSpec } from '../../../core/model/cluster-spec.ts'
import type { ServiceForm } from '../../../core/model/draft.ts'
import type { Issue } from '../../../core/model/issue.ts'
import type { ApplyResult } from '../../../core/model/revision.ts'
import type { VirtualService } from '../../../core/model/service.ts'
import { ApplyOptionsForm } from '../../change/apply-options.tsx'
import { ChangeReview } from '../../change/change-review.tsx'
import { applySpec } from '../../change/apply-spec.ts'
import { confirmSeconds, drainSeconds } from '../../change/confirm-time.ts'
import { addService } from '../../change/edits.ts'
import { usePlan } from '../../change/use-plan.ts'
import { InlineError } from '../../components/inline-error.tsx'
import { useCommand } from '../../connection/use-call.ts'
import type { Hindrance } from '../../store/selectors.ts'

interface StepReviewProps {
  readonly directorId: string
  readonly directorName: string
  readonly base: ClusterSpec
  readonly baseRevision: number
  readonly service: VirtualService
  readonly form: ServiceForm
  readonly changeForm: (part: Partial<ServiceForm>) => void
  /** Rows that the operator goes on without; they are noted in the change's message. */
  readonly accepted: readonly string[]
  readonly hindrance: Hindrance
  readonly goToIssue: (issue: Issue) => void
  readonly onApplied: (result: ApplyResult) => void
}

/** The change in words, its difference, its commands and its risk; then Apply. */
export function StepReview(props: StepReviewProps) {
  const { t } = useTranslation()
  const { directorId, base, service, form, accepted, onApplied } = props
  const after = useMemo(() => addService(service)(base), [service, base])
  const drainSec = drainSeconds(form.drainSec)
  const plan = usePlan(directorId, after, undefined, undefined, drainSec)
  const confirmWithinSec = confirmSeconds(form.confirmWithinSec)
  const apply = useCommand(async () => {
    if (confirmWithinSec === undefined || drainSec === undefined) return
    const noted = accepted.length === 0 ? '' : ` [${t('wizard.review.without', { rows: accepted.join(', ') })}]`
    const result = await applySpec(directorId, {
      spec: after,
      baseRevision: props.baseRevision,
      confirmWithinSec,
      drainSec,
      message:
        `${form.message.trim() === '' ? t('wizard.review.defaultMessage', { name: service.name }) : form.message.trim()}${noted}`.slice(
          0,
          500,
        ),
    })
    onApplied(result)
  })
  const target = {
    goTo: (issue: Issue) =>
      props.goToIssue({ ...issue, path: issue.path[0] === 'services' ? issue.path.slice(2) : issue.path }),
  }
  return (
    <Stack gap="sm">
      <ChangeReview
        before={base}
        after={after}
        plan={plan}
        directorId={directorId}
        directorName={props.directorName}
        target={target}
      />
      {accepted.length > 0 && <Text size="sm">{t('wizard.review.noted', { rows: accepted.join(', ') })}</Text>}
      <ApplyOptionsForm
        message={form.message}
        confirmWithinSec={form.confirmWithinSec}
        drainSec={form.drainSec}
        onMessage={(message) => props.changeForm({ message })}
        onConfirmWithinSec={(seconds) => props.changeForm({ confirmWithinSec: seconds })}
        onDrainSec={(seconds) => props.changeForm({ drainSec: seconds })}
      />
      <InlineError error={apply.error} onRetry={plan.reload} target={target} />
      <Group gap="xs">
        <Button
          onClick={() => void apply.run()}
          loading={apply.isRunning}
          disabled={
            plan.value === null ||
            plan.error !== null ||
            confirmWithinSec === undefined ||
            drainSec === undefined ||
            props.hindrance !== null
          }
        >
          {t('wizard.review.apply')}
        </Button>
        {props.hindrance !== null && <Text size="sm">{t(`hindrance.${props.hindrance}`)}</Text>}
      </Group>
    </Stack>
  )
}
