import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { DirectorState, IpvsOffer } from '../../../core/contract/agent.ts'
import { type IpvsSysctl, IpvsSysctls } from '../../../core/model/ipvs-settings.ts'
import { editSpec, useChange } from '../../change/change-store.ts'
import { setSysctl } from '../../change/edits.ts'
import { ipvsField } from '../../change/spec-issues.ts'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { FilterInput } from '../../components/filter-input.tsx'
import { InlineInput } from '../../components/inline-input.tsx'
import { Panel } from '../../components/page.tsx'
import styles from './director.module.css'
import { useJudge } from './use-judge.ts'
import { type PresentSetting, presentSysctl, sysctlDefaults, sysctlNamesOf } from './wanted-settings.ts'

interface Row extends PresentSetting {
  readonly name: IpvsSysctl
}

const valueOf = (text: string): string | undefined => (text.trim() === '' ? undefined : text)

/** What net.ipv4.vs has, with what each one does; edits go into the pending document. */
export function SysctlsPanel({
  directorId,
  state,
  offer,
  isLocked,
}: {
  readonly directorId: string
  readonly state: DirectorState
  readonly offer: IpvsOffer | null
  readonly isLocked: boolean
}) {
  const { t } = useTranslation()
  const judge = useJudge()
  const [filter, setFilter] = useState('')
  const pending = useChange((s) => s.pending[directorId]?.spec)
  const applied = state.spec.ipvs?.sysctls ?? {}
  const wanted = (pending ?? state.spec).ipvs?.sysctls ?? {}
  const rows = useMemo(
    () =>
      sysctlNamesOf(offer, { ...state.spec.ipvs?.sysctls, ...pending?.ipvs?.sysctls }).map(
        (name): Row => ({ name, ...presentSysctl(name, state.observed, offer) }),
      ),
    [offer, state, pending],
  )
  const columns: Column<Row>[] = [
    {
      id: 'name',
      header: t('ipvs.name'),
      width: 186,
      sortBy: ({ name }) => name,
      cell: ({ name }) => (
        <span className="sb-mono" title={`net.ipv4.vs.${name}`}>
          {name}
        </span>
      ),
    },
    {
      id: 'set',
      header: t('ipvs.set'),
      width: 96,
      align: 'end',
      sortBy: ({ name }) => wanted[name] ?? null,
      cell: ({ name }) => (
        <InlineInput
          value={wanted[name] ?? ''}
          isPending={wanted[name] !== applied[name]}
          label={t('ipvs.setOf', { name })}
          field={ipvsField(`sysctls.${name}`)}
          width={74}
          placeholder={t('ipvs.asIs')}
          isDisabled={isLocked}
          judge={(text) => judge(IpvsSysctls, { [name]: valueOf(text) })}
          onCommit={(text) => editSpec(directorId, setSysctl(name, IpvsSysctls.parse({ [name]: valueOf(text) })[name]))}
        />
      ),
    },
    {
      id: 'now',
      header: t('ipvs.now'),
      width: 76,
      align: 'end',
      sortBy: ({ now }) => now,
      cell: ({ name, now }) => {
        if (now === null) return <span title={t('ipvs.absent')}>–</span>
        return <span className={now === sysctlDefaults[name] ? undefined : styles.changed}>{now}</span>
      },
    },
    {
      id: 'default',
      header: t('ipvs.default'),
      width: 76,
      align: 'end',
      cell: ({ name }) => <span className="sb-dim">{sysctlDefaults[name]}</span>,
    },
    {
      id: 'original',
      header: t('ipvs.original'),
      hint: t('ipvs.originalHint'),
      width: 104,
      align: 'end',
      sortBy: ({ original }) => original,
      cell: ({ name, original }) => {
        if (original === null) return '–'
        const isOfServices = applied[name] === undefined
        return <span title={isOfServices ? t('ipvs.byServices') : undefined}>{original}</span>
      },
    },
    {
      id: 'meaning',
      header: t('ipvs.meaning'),
      cell: ({ name }) => <span title={t(`ipvs.sysctl.${name}`)}>{t(`ipvs.sysctl.${name}`)}</span>,
    },
  ]
  return (
    <Panel
      isFlush
      title={t('ipvs.sysctls')}
      aside={<FilterInput value={filter} onChange={setFilter} label={t('ipvs.sysctlFilter')} />}
    >
      <p className={styles.hint}>{t('ipvs.sysctlsHint')}</p>
      <DataTable
        label={t('ipvs.sysctls')}
        rows={rows}
        columns={columns}
        rowKey={({ name }) => name}
        searchText={({ name }) => `${name} ${t(`ipvs.sysctl.${name}`)}`}
        filter={filter}
        maxHeight="524px"
      />
    </Panel>
  )
}
