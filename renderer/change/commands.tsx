import { Tabs } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { Command, PlannedStep } from '../../core/model/plan.ts'
import { CommandBlock } from '../components/copy.tsx'
import styles from './change-review.module.css'

const kinds = ['signalbox', 'ipvsadm'] as const

/** The commands that would do the same: ours, and where IPVS is concerned those that one would type without us. */
export function Commands({
  commands,
  steps,
  directorName,
}: {
  readonly commands: readonly Command[]
  readonly steps: readonly PlannedStep[]
  readonly directorName: string
}) {
  const { t } = useTranslation()
  if (commands.length === 0) return <p className="sb-dim">{t('review.noCommands')}</p>
  const ofKind = Map.groupBy(commands, ({ kind }) => kind)
  const present = kinds.filter((kind) => ofKind.has(kind))
  if (present.length === 1) return <Blocks commands={commands} directorName={directorName} />
  const isEbpfToo = steps.some(({ step }) => step.kind === 'dataplane.attach' || isOnEbpf(step))
  return (
    <Tabs defaultValue="signalbox" variant="pills">
      <Tabs.List aria-label={t('review.commands')}>
        {present.map((kind) => (
          <Tabs.Tab key={kind} value={kind}>
            {t(`review.command.${kind}`)}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {present.map((kind) => (
        <Tabs.Panel key={kind} value={kind} className={styles.tab}>
          <p className={styles.commandHint}>
            {t(`review.commandHint.${kind}`)}
            {kind === 'ipvsadm' && isEbpfToo && ` ${t('review.notEbpf')}`}
          </p>
          <Blocks commands={ofKind.get(kind) ?? []} directorName={directorName} />
        </Tabs.Panel>
      ))}
    </Tabs>
  )
}

function isOnEbpf(step: PlannedStep['step']): boolean {
  switch (step.kind) {
    case 'service.add':
    case 'service.change':
      return step.after.dataplane === 'ebpf'
    case 'service.remove':
      return step.before.dataplane === 'ebpf'
    case 'realServer.add':
    case 'realServer.change':
    case 'realServer.remove':
      return step.dataplane === 'ebpf'
    default:
      return false
  }
}

function Blocks({ commands, directorName }: { readonly commands: readonly Command[]; readonly directorName: string }) {
  const { t } = useTranslation()
  return [...Map.groupBy(commands, ({ host }) => host)].map(([host, own]) => {
    const name = host === 'director' ? directorName : host
    return (
      <CommandBlock
        key={host}
        commands={own.map(({ text }) => text)}
        title={t('review.on', { host: name })}
        label={t('review.commandsOn', { host: name })}
      />
    )
  })
}
