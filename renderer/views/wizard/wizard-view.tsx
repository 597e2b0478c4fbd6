import { Button, Group, Text, UnstyledButton } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import { type Draft, type ServiceForm, type WizardStep, wizardSteps } from '../../../core/model/draft.ts'
import { formatPath, type Issue } from '../../../core/model/issue.ts'
import { serviceKey } from '../../../core/model/service.ts'
import { paths } from '../../app/paths.ts'
import { InlineError } from '../../components/inline-error.tsx'
import { focusField, IssueSummary } from '../../components/issue-summary.tsx'
import { Page } from '../../components/page.tsx'
import { Gone, LoadingRows, StaleNotice } from '../../components/states.tsx'
import { client } from '../../connection/client.ts'
import { useAccess } from '../../connection/use-access.ts'
import { useDirector, useDirectorState, useHindrance } from '../../store/selectors.ts'
import { openRows } from './check-cells.ts'
import { checkRequestOf } from './check-request.ts'
import { settled } from './choices.ts'
import { issuesByField, issuesOfStep, stepOfIssue } from './form-steps.ts'
import { serviceOf } from './form.ts'
import { PacketPicture } from './packet-picture.tsx'
import { StepAddresses } from './step-addresses.tsx'
import { StepDataplane } from './step-dataplane.tsx'
import { StepHosts } from './step-hosts.tsx'
import { StepMode } from './step-mode.tsx'
import { StepProve } from './step-prove.tsx'
import { StepReview } from './step-review.tsx'
import { StepWhat } from './step-what.tsx'
import { useChecks } from './use-checks.ts'
import { type DraftInHand, useDraft } from './use-draft.ts'
import styles from './wizard-view.module.css'

/** A new virtual service, step by step; a draft until it is proved and kept. */
export default function WizardView({ directorId, draftId }: { readonly directorId: string; readonly draftId: string }) {
  const { t } = useTranslation()
  const inHand = useDraft(directorId, draftId)
  if (!inHand.isFound) {
    return <Gone sentence={t('wizard.gone')} href={paths.view(directorId, 'services')} label={t('wizard.toServices')} />
  }
  return (
    <Page title={t('wizard.title')} subtitle={inHand.draft?.form.name}>
      <StaleNotice directorId={directorId} />
      <InlineError error={inHand.error} />
      {inHand.draft === null ? (
        <LoadingRows />
      ) : (
        <Wizard directorId={directorId} draft={inHand.draft} inHand={inHand} />
      )}
    </Page>
  )
}

function Wizard({
  directorId,
  draft,
  inHand,
}: {
  readonly directorId: string
  readonly draft: Draft
  readonly inHand: DraftInHand
}) {
  const { t } = useTranslation()
  const [, navigate] = useLocation()
  const state = useDirectorState(directorId)
  const entry = useDirector(directorId)
  const hello = entry?.session.hello ?? null
  const hindrance = useHindrance(directorId)
  const [attempt, setAttempt] = useState(0)
  const [triedStep, setTriedStep] = useState<WizardStep | null>(null)
  const [wantedField, setWantedField] = useState<Issue['path'] | null>(null)
  /** Fields of this step that were left: what is wrong with them is said without waiting for Next. */
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set())
  const { form, step } = draft
  const access = useAccess(directorId)
  const request = checkRequestOf(form, directorId, access.of)
  const checks = useChecks(request, step === 'hosts' && hindrance !== 'offline' && access.isKnown)
  const parsed = serviceOf(form)
  const issues = triedStep === step ? issuesOfStep(form, step) : []
  const shown = triedStep === step ? issues : issuesOfStep(form, step).filter(({ path }) => left.has(formatPath(path)))
  const props = {
    form,
    change: (part: Partial<ServiceForm>) => inHand.changeForm(settled(form, part)),
    issues: issuesByField(shown),
    hello,
  }

  // A step starts at its top, also where the one before was scrolled down to its Next.
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    // In braces: newer browsers answer with a promise, which is no clean-up.
    heading.current?.scrollIntoView({ block: 'nearest' })
  }, [step])
  useEffect(() => {
    if (wantedField === null) return
    focusField(wantedField)
    setWantedField(null)
  }, [wantedField])

  const goTo = (next: WizardStep) => {
    inHand.change({ step: next })
    setTriedStep(null)
    setLeft(new Set())
  }
  /** The first step before `wanted` that is not finished, or `wanted` itself. */
  const firstOpenStep = (wanted: WizardStep): WizardStep =>
    wizardSteps.slice(0, wizardSteps.indexOf(wanted)).find((earlier) => issuesOfStep(form, earlier).length > 0) ??
    wanted
  const next = () => {
    if (issuesOfStep(form, step).length > 0) {
      setTriedStep(step)
      setAttempt((n) => n + 1)
      return
    }
    const following = wizardSteps[wizardSteps.indexOf(step) + 1]
    if (following !== undefined) goTo(following)
  }
  const goToIssue = (issue: Issue) => {
    const wanted = stepOfIssue(issue)
    inHand.change({ step: wanted })
    setTriedStep(wanted)
    setWantedField(issue.path)
  }
  const open = request === null ? [] : openRows(request, checks.reports)
  const isHeld = step === 'hosts' && open.some((row) => !draft.accepted.includes(row))
  const isApplied = draft.appliedRevision !== null
  const remove = async () => {
    await client.call('drafts.remove', { id: draft.id })
    navigate(paths.view(directorId, 'services'))
  }

  return (
    <div className={styles['wizard']}>
      <nav aria-label={t('wizard.steps')} className={styles['steps']}>
        <ol>
          {wizardSteps.map((id, i) => (
            <li key={id}>
              <UnstyledButton
                className={styles['step']}
                aria-current={id === step ? 'step' : undefined}
                disabled={id === 'prove' ? !isApplied : isApplied}
                onClick={() => goTo(firstOpenStep(id))}
              >
                <span className={styles['number']}>{i + 1}</span> {t(`wizard.step.${id}`)}
              </UnstyledButton>
            </li>
          ))}
        </ol>
        {!isApplied && (
          <Button variant="subtle" color="gray" mt="md" onClick={() => void remove()}>
            {t('wizard.discard')}
          </Button>
        )}
        <Text size="xs" c="dimmed" mt="xs">
          {t('wizard.kept')}
        </Text>
      </nav>
      <div
        className={styles['body']}
        onBlur={({ target, relatedTarget }) => {
          // A button that is being pressed must not move away under the pointer.
          if (relatedTarget instanceof HTMLButtonElement) return
          const field = target.dataset['field']
          // What was passed without a word is not called wrong yet.
          const isTyped = target instanceof HTMLInputElement && target.value.trim() !== ''
          if (field !== undefined && isTyped && !left.has(field)) setLeft(new Set([...left, field]))
        }}
      >
        <h2 ref={heading} className={styles['heading']}>
          {t(`wizard.step.${step}`)}
        </h2>
        <IssueSummary issues={issues} attempt={attempt} />
        {(step === 'addresses' || step === 'hosts') && <InlineError error={access.error} onRetry={access.reload} />}
        {step === 'what' && <StepWhat {...props} />}
        {step === 'mode' && <StepMode {...props} />}
        {step === 'dataplane' && <StepDataplane {...props} />}
        {step === 'addresses' && <StepAddresses {...props} access={access} />}
        {step === 'hosts' && (
          <StepHosts
            request={request}
            isByMark={form.matchBy === 'fwmark'}
            {...checks}
            access={access}
            accepted={draft.accepted}
            accept={(rows) => inHand.change({ accepted: [...rows] })}
          />
        )}
        {step === 'review' &&
          (parsed.ok && state !== null ? (
            <StepReview
              directorId={directorId}
              directorName={entry?.profile.name ?? directorId}
              base={state.spec}
              baseRevision={state.revision}
              service={parsed.value}
              form={form}
              changeForm={inHand.changeForm}
              accepted={draft.accepted}
              hindrance={hindrance}
              goToIssue={goToIssue}
              onApplied={(result) => {
                if (result.failure === null) inHand.change({ step: 'prove', appliedRevision: result.revision })
              }}
            />
          ) : (
            <LoadingRows />
          ))}
        {step === 'prove' && parsed.ok && draft.appliedRevision !== null && (
          <StepProve
            directorId={directorId}
            service={parsed.value}
            revision={draft.appliedRevision}
            onSettled={(outcome) => {
              if (outcome === 'confirmed') {
                void client.call('drafts.remove', { id: draft.id })
                navigate(paths.service(directorId, serviceKey(parsed.value)))
              } else inHand.change({ step: 'review', appliedRevision: null })
            }}
          />
        )}
        {step !== 'review' && step !== 'prove' && (
          <Group gap="xs" mt="md">
            {step !== 'what' && (
              <Button variant="default" onClick={() => goTo(wizardSteps[wizardSteps.indexOf(step) - 1] ?? 'what')}>
                {t('wizard.back')}
              </Button>
            )}
            <Button onClick={next} disabled={isHeld}>
              {t('wizard.next')}
            </Button>
            {isHeld && <Text size="sm">{t('wizard.hosts.held', { count: open.length })}</Text>}
          </Group>
        )}
        {step === 'review' && (
          <Button variant="default" mt="sm" onClick={() => goTo('hosts')}>
            {t('wizard.back')}
          </Button>
        )}
      </div>
      {step !== 'hosts' && step !== 'review' && <PacketPicture form={form} />}
    </div>
  )
}
