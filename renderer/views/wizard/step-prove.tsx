import { Button, Group, List, Stack, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import type { RevisionOutcome } from '../../../core/model/revision.ts'
import { serviceKey, type VirtualService } from '../../../core/model/service.ts'
import { paths } from '../../app/paths.ts'
import { useStepSentence } from '../../change/step-sentence.ts'
import { InlineError } from '../../components/inline-error.tsx'
import { StatusMark, StatusShape } from '../../components/status-mark.tsx'
import { client } from '../../connection/client.ts'
import { useCommand, useFetched } from '../../connection/use-call.ts'
import { useRemaining } from '../../store/clock.ts'
import { useDirectorData } from '../../store/selectors.ts'
import { Time } from '../../components/time.tsx'
import { expectedShares, staysWithOne } from './expected-shares.ts'
import { Notice } from '../../components/notice.tsx'
import { ProofPanel } from './proof-panel.tsx'
import { useProof } from './use-proof.ts'

interface StepProveProps {
  readonly directorId: string
  readonly service: VirtualService
  readonly revision: number
  /** Called when the revision was confirmed or taken back: the draft has done its work, or becomes editable again. */
  readonly onSettled: (outcome: RevisionOutcome) => void
}

/** Steps as they ran, then requests through the VIP, and the countdown with Keep and Revert. */
export function StepProve({ directorId, service, revision, onSettled }: StepProveProps) {
  const { t } = useTranslation()
  const data = useDirectorData(directorId)
  const progress = data?.state?.progress?.revision === revision ? data.state.progress : null
  const isLive = data?.isLive ?? false
  const clients = useFetched('clients', (signal) => client.call('clientHosts.list', {}, { signal }))
  const history = useFetched(`${directorId} ${revision} ${progress?.phase ?? 'over'} ${isLive}`, (signal) =>
    client.call('director.cluster.history', { directorId, input: {} }, { signal }),
  )
  const outcome = history.value?.find((entry) => entry.revision === revision)
  const proof = useProof(directorId, service.vip, service.port)
  const keep = useCommand(async () => {
    await client.call('director.cluster.confirm', { directorId, input: { revision } })
    onSettled('confirmed')
  })
  const revert = useCommand(async () => {
    await client.call('director.cluster.revert', { directorId, input: { revision } })
    onSettled('reverted')
  })
  const isAwaiting = progress?.phase === 'awaiting-confirmation'
  const isOver =
    progress === null && outcome !== undefined && outcome.outcome !== 'applying' && outcome.outcome !== 'unconfirmed'
  const shares = expectedShares(service)
  const revertButton = (
    <Button
      key="revert"
      variant={proof.hasFailed ? 'filled' : 'default'}
      color={proof.hasFailed ? 'red' : undefined}
      loading={revert.isRunning}
      disabled={!isLive}
      onClick={() => void revert.run()}
    >
      {t('wizard.prove.revert')}
    </Button>
  )
  const keepButton = (
    <Button
      key="keep"
      variant={proof.hasFailed ? 'default' : 'filled'}
      loading={keep.isRunning}
      disabled={!isLive}
      onClick={() => void keep.run()}
    >
      {t('wizard.prove.keep')}
    </Button>
  )
  return (
    <Stack gap="md">
      {progress !== null && <StepList steps={progress.steps} done={progress.stepsDone} />}
      {isAwaiting && (
        <section aria-label={t('wizard.prove.decide')}>
          <Group gap="sm">
            {/* A failed proof puts Revert first. */}
            {proof.hasFailed ? [revertButton, keepButton] : [keepButton, revertButton]}
            <Countdown
              remainingMs={progress.remainingMs}
              receivedAtMs={data?.receivedAtMs ?? 0}
              revertsAtMs={progress.revertsAtMs}
              isLive={isLive}
            />
          </Group>
          <InlineError error={keep.error ?? revert.error} />
        </section>
      )}
      {isOver && (
        <Group gap="sm">
          <StatusMark
            status={outcome.outcome === 'confirmed' ? 'up' : 'down'}
            label={t(`wizard.prove.outcome.${outcome.outcome}`, {
              reason: outcome.revertReason === null ? '' : t(`revertReason.${outcome.revertReason}`),
            })}
          />
          {outcome.outcome === 'confirmed' ? (
            <Button component={Link} href={paths.service(directorId, serviceKey(service))}>
              {t('wizard.prove.toService')}
            </Button>
          ) : (
            <Button variant="default" onClick={() => onSettled(outcome.outcome)}>
              {t('wizard.prove.backToReview')}
            </Button>
          )}
        </Group>
      )}
      {history.error !== null && progress === null && <InlineError error={history.error} onRetry={history.reload} />}
      {(isAwaiting || outcome?.outcome === 'confirmed') && (
        <section aria-label={t('wizard.proof.title')}>
          <Text fw={600} size="sm">
            {t('wizard.proof.title')}
          </Text>
          {isProvable(service) ? (
            <>
              <Text size="sm" c="dimmed" mb={6}>
                {t('wizard.proof.hint')}
              </Text>
              {clients.value !== null && (
                <ProofPanel
                  clientHosts={clients.value}
                  expectedShares={shares}
                  isSticky={staysWithOne(service)}
                  hidesClient={service.forwarding === 'fullnat'}
                  {...proof}
                />
              )}
            </>
          ) : (
            <NoProof service={service} />
          )}
        </section>
      )}
    </Stack>
  )
}

/** Requests prove what answers on a TCP port of a VIP; for anything else they would prove nothing. */
const isProvable = ({ protocol, vip, port }: VirtualService): boolean =>
  protocol === 'tcp' && vip !== undefined && port !== 0

/** Why no request is sent, and what tells instead whether the service works. */
function NoProof({ service }: { readonly service: VirtualService }) {
  const { t } = useTranslation()
  const why = service.vip === undefined ? 'fwmark' : service.protocol !== 'tcp' ? 'protocol' : 'everyPort'
  return (
    <Stack gap={4} mt={4}>
      <Notice>{t(`wizard.proof.none.${why}`, { protocol: service.protocol.toUpperCase() })}</Notice>
      <Text size="sm">{t('wizard.proof.look')}</Text>
    </Stack>
  )
}

function StepList({
  steps,
  done,
}: {
  readonly steps: readonly Parameters<ReturnType<typeof useStepSentence>>[0][]
  readonly done: number
}) {
  const { t } = useTranslation()
  const sentenceOf = useStepSentence()
  return (
    <List listStyleType="none" size="sm" spacing={2} aria-label={t('wizard.prove.steps')}>
      {steps.map((step, i) => (
        <List.Item key={i}>
          <Group gap={6} wrap="nowrap" align="baseline">
            <StatusShape status={i < done ? 'up' : 'unknown'} />
            <span>{sentenceOf(step)}</span>
            <span className="sb-hidden">{t(`stepState.${i < done ? 'done' : 'pending'}`)}</span>
          </Group>
        </List.Item>
      ))}
    </List>
  )
}

function Countdown(props: {
  readonly remainingMs: number | null
  readonly receivedAtMs: number
  readonly revertsAtMs: number | null
  readonly isLive: boolean
}) {
  const { t } = useTranslation()
  const left = useRemaining(props.remainingMs, props.receivedAtMs)
  if (left === null || props.revertsAtMs === null) return null
  if (!props.isLive) {
    return (
      <Text size="sm" role="status">
        {t('wizard.prove.revertsAt')} <Time atMs={props.revertsAtMs} isFull />
      </Text>
    )
  }
  return (
    <Text size="sm" role="timer">
      {t('wizard.prove.remaining', { seconds: Math.ceil(left / 1000) })}
    </Text>
  )
}
