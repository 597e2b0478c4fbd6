import { Button, Modal } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { DirectorState } from '../../../core/contract/agent.ts'
import type { NewFlows } from '../../../core/model/observed.ts'
import { serviceAddress } from '../../../core/model/service.ts'
import { client } from '../../connection/client.ts'
import { useCommand } from '../../connection/use-call.ts'
import { InlineError } from '../../components/inline-error.tsx'
import { Panel } from '../../components/page.tsx'
import { StatusMark } from '../../components/status-mark.tsx'
import { useDirector, useHindrance } from '../../store/selectors.ts'
import styles from './ebpf.module.css'

/** The emergency switch: it says whom it hits before it is turned, and turning it back needs no question. */
export function NewFlowsPanel({ directorId, state }: { readonly directorId: string; readonly state: DirectorState }) {
  const { t } = useTranslation()
  const name = useDirector(directorId)?.profile.name ?? directorId
  const hindrance = useHindrance(directorId)
  const [isAsking, setIsAsking] = useState(false)
  const { newFlows } = state.observed.ebpf
  const services = state.spec.services.filter(({ dataplane }) => dataplane === 'ebpf')
  const isLoaded = state.observed.attachments.length > 0
  const turn = useCommand(async (to: NewFlows) => {
    await client.call('director.dataplane.setNewFlows', { directorId, input: { newFlows: to } })
    setIsAsking(false)
  })
  const isStopped = newFlows === 'stopped'
  return (
    <Panel
      title={t('ebpf.newFlows.title')}
      aside={
        <Button
          variant="default"
          size="compact-xs"
          disabled={hindrance !== null || !isLoaded}
          loading={isStopped && turn.isRunning}
          onClick={() => {
            turn.reset()
            if (isStopped) void turn.run('balanced')
            else setIsAsking(true)
          }}
        >
          {t(isStopped ? 'ebpf.newFlows.balance' : 'ebpf.newFlows.stop')}
        </Button>
      }
    >
      <StatusMark status={isStopped ? 'down' : isLoaded ? 'up' : 'unknown'} label={t(`ebpf.newFlows.${newFlows}`)} />
      <p className="sb-dim">{t(`ebpf.newFlows.${newFlows}More`)}</p>
      {!isAsking && <InlineError error={turn.error} />}
      <Modal
        opened={isAsking}
        onClose={() => setIsAsking(false)}
        title={t('ebpf.newFlows.stopTitle', { name })}
        size={520}
        closeButtonProps={{ 'aria-label': t('action.close') }}
      >
        <div className={styles.stack}>
          <p>{t('ebpf.newFlows.stopSentence')}</p>
          <ul className={styles.hit}>
            {services.map((service) => (
              <li key={service.name}>
                {service.name} <span className="sb-mono sb-dim">{serviceAddress(service)}</span>
              </li>
            ))}
          </ul>
          <p className="sb-dim">{t('ebpf.newFlows.untilBoot')}</p>
          <pre className="sb-mono">signalbox new-flows stopped</pre>
          <InlineError error={turn.error} />
          <div className={styles.buttons}>
            <Button variant="default" onClick={() => setIsAsking(false)} data-autofocus>
              {t('action.cancel')}
            </Button>
            <Button
              color="red"
              loading={turn.isRunning}
              disabled={hindrance !== null}
              onClick={() => void turn.run('stopped')}
            >
              {t('ebpf.newFlows.stop').replace('…', '')}
            </Button>
          </div>
        </div>
      </Modal>
    </Panel>
  )
}
