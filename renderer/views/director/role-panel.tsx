import { Button, Modal } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { DirectorState } from '../../../core/contract/agent.ts'
import { client } from '../../connection/client.ts'
import { useCommand } from '../../connection/use-call.ts'
import { InlineError } from '../../components/inline-error.tsx'
import { Panel } from '../../components/page.tsx'
import { StatusMark } from '../../components/status-mark.tsx'
import { useDirector, useHindrance } from '../../store/selectors.ts'
import styles from './director.module.css'

/** The VIPs that a change of the role lowers, or raises. */
function vipsOf({ role, observed, spec }: DirectorState): readonly string[] {
  const vips =
    role === 'active'
      ? observed.vips.filter(({ isOurs }) => isOurs).map(({ address }) => address)
      : spec.services.flatMap(({ vip, announce }) => (vip === undefined || announce === 'none' ? [] : [vip]))
  return [...new Set(vips)]
}

/** Who carries the VIPs: this director, or another one of its cluster. The button says what it does before it does it. */
export function RolePanel({ directorId, state }: { readonly directorId: string; readonly state: DirectorState }) {
  const { t } = useTranslation()
  const name = useDirector(directorId)?.profile.name ?? directorId
  const hindrance = useHindrance(directorId)
  const [isAsking, setIsAsking] = useState(false)
  const isActive = state.role === 'active'
  const vips = vipsOf(state)
  const change = useCommand(async () => {
    await client.call('director.director.setRole', {
      directorId,
      input: { role: isActive ? 'standby' : 'active' },
    })
    setIsAsking(false)
  })
  const count = vips.length
  const verb = isActive ? 'lower' : 'raise'
  return (
    <Panel
      title={t('role.title')}
      aside={
        <Button
          variant="default"
          size="compact-xs"
          disabled={hindrance !== null}
          onClick={() => {
            change.reset()
            setIsAsking(true)
          }}
        >
          {t(isActive ? 'role.makeStandby' : 'role.makeActive')}
        </Button>
      }
    >
      <StatusMark status={isActive ? 'up' : 'draining'} label={t(`role.${state.role}`)} />
      <p className="sb-dim">{t(isActive ? 'role.activeSentence' : 'role.standbySentence')}</p>
      <Modal
        opened={isAsking}
        onClose={() => setIsAsking(false)}
        title={t(`role.${verb}Title`, { name })}
        size={480}
        closeButtonProps={{ 'aria-label': t('action.close') }}
      >
        <div className={styles.stack}>
          <p>{count === 0 ? t('role.noVips') : t(`role.${verb}Sentence`, { count })}</p>
          <ul className={styles.vips}>
            {vips.map((vip) => (
              <li key={vip} className="sb-mono">
                {vip}
              </li>
            ))}
          </ul>
          <InlineError error={change.error} />
          <div className={styles.buttons}>
            <Button variant="default" onClick={() => setIsAsking(false)} data-autofocus>
              {t('action.cancel')}
            </Button>
            <Button loading={change.isRunning} disabled={hindrance !== null} onClick={() => void change.run()}>
              {count === 0 ? t(`role.${verb}None`) : t(`role.${verb}`, { count })}
            </Button>
          </div>
        </div>
      </Modal>
    </Panel>
  )
}
