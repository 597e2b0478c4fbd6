import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { paths } from '../../app/paths.ts'
import { Icon } from '../../components/icon.tsx'
import { useDirectorState } from '../../store/selectors.ts'
import styles from './director.module.css'

function Notice({ children }: { readonly children: ReactNode }) {
  return (
    <p className={styles.notice} role="status">
      <Icon name="info" />
      {children}
    </p>
  )
}

/** Programs that change IPVS by their own will: who they are, and that nobody fights them. */
export function WritersNotice({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const writers = useDirectorState(directorId)?.observed.ipvs.writers ?? []
  if (writers.length === 0) return null
  const who = writers.map(({ name, pid }) => t('foreign.writer', { name, pid })).join(', ')
  return (
    <Notice>
      <span>{t('foreign.writers', { count: writers.length, who })}</span>
    </Notice>
  )
}

/** Clients that come anew get no answer: whoever looks at the director must see why. */
export function StoppedNotice({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  if (useDirectorState(directorId)?.observed.ebpf.newFlows !== 'stopped') return null
  return (
    <Notice>
      <span>{t('ebpf.newFlows.notice')}</span>
      <Link className="sb-link" href={paths.view(directorId, 'ebpf')}>
        {t('ebpf.newFlows.show')}
      </Link>
    </Notice>
  )
}

/** A standby director looks like a working one in every other way. */
export function StandbyNotice({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const state = useDirectorState(directorId)
  if (state?.role !== 'standby') return null
  return (
    <Notice>
      <span>{t('role.standbyNotice')}</span>
      <Link className="sb-link" href={paths.view(directorId, 'ipvs')}>
        {t('role.show')}
      </Link>
    </Notice>
  )
}
