import { Button, Modal, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { fromWireError } from '../../../core/contract/errors.ts'
import type { ClusterSpec } from '../../../core/model/cluster-spec.ts'
import { dataplaneNames, methodNames } from '../../../core/model/dataplane.ts'
import type { ObservedService } from '../../../core/model/observed.ts'
import { realServerKey, serviceAddress, serviceKey } from '../../../core/model/service.ts'
import { adoptedService, nameForFound } from '../../../core/reconcile/adopt.ts'
import { applySpec, errorOfFailure } from '../../change/apply-spec.ts'
import { openReview, proposeAdoption, useChange } from '../../change/change-store.ts'
import { useStepSentence } from '../../change/step-sentence.ts'
import { usePlan, useYaml } from '../../change/use-plan.ts'
import { InlineError } from '../../components/inline-error.tsx'
import { Facts } from '../../components/page.tsx'
import { LoadingRows } from '../../components/states.tsx'
import { TextDiff } from '../../components/text-diff.tsx'
import { useCommand } from '../../connection/use-call.ts'
import { useCluster } from '../../store/cluster.ts'
import { useDirectorState, useHindrance } from '../../store/selectors.ts'
import styles from './changes.module.css'
import { WriterNotice } from './writer-notice.tsx'

/** Takes over a service that somebody else set up, after showing what that means. */
export function AdoptButton({
  directorId,
  observed,
  size = 'compact-xs',
}: {
  readonly directorId: string
  readonly observed: ObservedService
  readonly size?: 'compact-xs' | 'sm'
}) {
  const { t } = useTranslation()
  const [isOpen, dialog] = useDisclosure(false)
  const address = serviceAddress(observed)
  return (
    <>
      <Button
        variant="default"
        size={size}
        onClick={dialog.open}
        aria-label={t('adopt.buttonOf', { service: address })}
      >
        {t('adopt.button')}
      </Button>
      <Modal
        opened={isOpen}
        onClose={dialog.close}
        title={t('adopt.title', { service: address })}
        size={680}
        closeButtonProps={{ 'aria-label': t('action.close') }}
      >
        {isOpen && <AdoptForm directorId={directorId} observed={observed} onClose={dialog.close} />}
      </Modal>
    </>
  )
}

function AdoptForm({
  directorId,
  observed,
  onClose,
}: {
  readonly directorId: string
  readonly observed: ObservedService
  readonly onClose: () => void
}) {
  const { t } = useTranslation()
  const state = useDirectorState(directorId)
  const hindrance = useHindrance(directorId)
  const hasOthers = useCluster(directorId).length > 1
  const pending = useChange((s) => s.pending[directorId])
  const [typed, setTyped] = useState<string | null>(null)
  const base = pending?.spec ?? state?.spec ?? null
  const name = typed ?? (base === null ? '' : nameForFound(base, observed))
  const after = useMemo(() => (base === null ? null : withService(base, observed, name)), [base, observed, name])
  const key = serviceKey(observed)
  const keys = useMemo(() => [key], [key])
  const writers = state?.observed.ipvs.writers ?? []
  const plan = usePlan(directorId, writers.length === 0 ? after : null, keys)
  const needsReview = hasOthers || pending !== undefined
  const adopt = useCommand(async () => {
    if (after === null || state === null) return
    if (needsReview) {
      proposeAdoption(directorId, keys, (spec) => withService(spec, observed, name))
      openReview(directorId)
    } else {
      const { failure } = await applySpec(directorId, {
        spec: after,
        baseRevision: state.revision,
        confirmWithinSec: null,
        message: t('adopt.message', { service: key }),
        adopt: keys,
      })
      if (failure !== null) throw fromWireError(errorOfFailure(failure))
    }
    onClose()
  })
  const isReady = plan.value !== null && plan.error === null && hindrance === null && writers.length === 0
  return (
    <div className={styles.stack}>
      <p>{t('adopt.sentence')}</p>
      <WriterNotice writers={writers} refusal="adopt" />
      <section aria-label={t('adopt.found')}>
        <h3 className={styles.subhead}>{t('adopt.found')}</h3>
        <FoundService observed={observed} />
      </section>
      <TextInput
        label={t('adopt.name')}
        value={name}
        maxLength={60}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      <DocumentPart before={base} after={after} />
      <p className="sb-dim">{t('adopt.stays')}</p>
      {plan.value !== null && <AdoptSteps plan={plan.value} />}
      <InlineError error={plan.error ?? adopt.error} onRetry={plan.reload} />
      {hindrance !== null && <p className="sb-dim">{t(`hindrance.${hindrance}`)}</p>}
      <div className={`${styles.buttons} ${styles.foot}`}>
        <Button variant="default" onClick={onClose} data-autofocus>
          {t('action.cancel')}
        </Button>
        <Button disabled={!isReady} loading={adopt.isRunning} onClick={() => void adopt.run()}>
          {needsReview ? t('adopt.review') : t('adopt.adopt')}
        </Button>
      </div>
    </div>
  )
}

const withService = (spec: ClusterSpec, observed: ObservedService, name: string): ClusterSpec => ({
  ...spec,
  services: [...spec.services, adoptedService(observed, name)],
})

function FoundService({ observed }: { readonly observed: ObservedService }) {
  const { t } = useTranslation()
  const { persistence } = observed
  return (
    <>
      <Facts
        rows={[
          [t('drift.what.dataplane'), dataplaneNames[observed.dataplane]],
          [t('drift.what.forwarding'), methodNames[observed.forwarding]],
          [t('drift.what.scheduler'), [observed.scheduler, ...observed.schedulerFlags].join(' ')],
          [
            t('drift.what.persistence'),
            persistence === null ? t('drift.value.none') : `${persistence.timeoutSec} ${t('unit.seconds')}`,
          ],
        ]}
      />
      <div className={styles.scroll} tabIndex={0} role="group" aria-label={t('adopt.realServers')}>
        <table className={styles.lines}>
          <thead>
            <tr>
              <th scope="col">{t('column.realServer')}</th>
              <th scope="col">{t('column.mode')}</th>
              <th scope="col" className="sb-num">
                {t('column.weight')}
              </th>
            </tr>
          </thead>
          <tbody>
            {observed.realServers.map((one) => (
              <tr key={realServerKey(one)}>
                <th scope="row" className="sb-mono">
                  {realServerKey(one)}
                </th>
                <td>{methodNames[one.forwarding]}</td>
                <td className="sb-num">{one.weight}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}

function DocumentPart({ before, after }: { readonly before: ClusterSpec | null; readonly after: ClusterSpec | null }) {
  const { t } = useTranslation()
  const beforeText = useYaml(before)
  const afterText = useYaml(after)
  const error = beforeText.error ?? afterText.error
  if (error !== null) return <InlineError error={error} onRetry={afterText.reload} />
  if (beforeText.value === null || afterText.value === null) return <LoadingRows rows={4} />
  return <TextDiff before={beforeText.value} after={afterText.value} label={t('adopt.document')} />
}

/** The proof of the promise: taking over is the only step. Whatever else the document wants is named. */
function AdoptSteps({ plan }: { readonly plan: NonNullable<ReturnType<typeof usePlan>['value']> }) {
  const { t } = useTranslation()
  const sentenceOf = useStepSentence()
  const others = plan.steps.filter(({ step }) => step.kind !== 'service.adopt')
  if (others.length === 0) return <p role="status">{t('adopt.onlyStep')}</p>
  return (
    <div role="status">
      <p>{t('adopt.moreSteps', { count: others.length })}</p>
      <ul className={styles.list}>
        {others.map(({ step }, i) => (
          <li key={i}>{sentenceOf(step)}</li>
        ))}
      </ul>
    </div>
  )
}
