import { Button, Group, Loader, Text, UnstyledButton } from '@mantine/core'
import { Fragment, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { CheckRequest } from '../../../core/contract/console.ts'
import type { Finding, Fix } from '../../../core/diagnosis/finding.ts'
import { CommandBlock } from '../../components/copy.tsx'
import { InlineError } from '../../components/inline-error.tsx'
import { StatusShape } from '../../components/status-mark.tsx'
import type { Status } from '../../store/service-state.ts'
import { checkedHosts, type KeptReport, verdictOf } from './check-cells.ts'
import styles from './check-matrix.module.css'
import { useRuleWords } from './rule-words.ts'

const shapeOf: Record<Finding['status'], Status> = {
  ok: 'up',
  missing: 'down',
  warning: 'degraded',
  unknown: 'unknown',
  notChecked: 'unknown',
}

interface MatrixProps {
  readonly request: CheckRequest
  readonly reports: ReadonlyMap<string, KeptReport>
  readonly isRunning: boolean
  readonly onFix: (fixes: readonly Fix[]) => void
  readonly onRun: (hosts: readonly string[]) => void
}

/** One row for each host, one cell for each requirement; a host opens to what was found, expected, why and the fix. */
export function CheckMatrix({ request, reports, isRunning, onFix, onRun }: MatrixProps) {
  const { t } = useTranslation()
  const words = useRuleWords()
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const hosts = checkedHosts(request)
  const toggle = (host: string) =>
    setOpen((now) => new Set(now.has(host) ? [...now].filter((h) => h !== host) : [...now, host]))
  return (
    <table className={styles['matrix']} aria-label={t('wizard.hosts.matrix')}>
      <thead>
        <tr>
          <th scope="col">{t('wizard.hosts.host')}</th>
          <th scope="col">{t('wizard.hosts.result')}</th>
          <th scope="col">{t('wizard.hosts.requirements')}</th>
        </tr>
      </thead>
      <tbody>
        {hosts.map((host) => {
          const kept = reports.get(host)
          const verdict = verdictOf(request, host, reports)
          const name = host === 'director' ? t('wizard.hosts.director') : host
          const findings = kept?.report.findings ?? []
          const isOpen = open.has(host)
          return (
            <Fragment key={host}>
              <tr className={verdict === 'stale' ? styles['stale'] : undefined}>
                <th scope="row">
                  <UnstyledButton className={styles['host']} aria-expanded={isOpen} onClick={() => toggle(host)}>
                    <span aria-hidden>{isOpen ? '▾' : '▸'}</span> {name}
                  </UnstyledButton>
                </th>
                <td className={styles['verdict']}>
                  {verdict === 'running' ? (
                    <Loader size={14} role="img" aria-label={t('wizard.hosts.verdict.running')} />
                  ) : null}
                  <span>{t(`wizard.hosts.verdict.${verdict}`)}</span>
                </td>
                <td>
                  {verdict === 'failed' && <Text size="sm">{kept?.report.error?.message}</Text>}
                  <ul className={styles['cells']}>
                    {findings.map((finding) => (
                      <li
                        key={finding.rule}
                        title={`${words(finding).title}: ${t(`wizard.hosts.status.${finding.status}`)}`}
                      >
                        <StatusShape status={shapeOf[finding.status]} />
                        <span>{finding.rule}</span>
                        <span className="sb-hidden">
                          {words(finding).title}, {t(`wizard.hosts.status.${finding.status}`)}
                        </span>
                      </li>
                    ))}
                  </ul>
                </td>
              </tr>
              {isOpen && (
                <tr>
                  <td colSpan={3} className={styles['details']}>
                    {kept?.report.error != null && (
                      <InlineError error={kept.report.error} onRetry={() => onRun([host])} />
                    )}
                    {findings.map((finding) => (
                      <FindingDetails
                        key={finding.rule}
                        finding={finding}
                        host={name}
                        isRunning={isRunning}
                        onFix={onFix}
                      />
                    ))}
                    {findings.length === 0 && kept?.report.error == null && (
                      <Text size="sm">{t('wizard.hosts.noFindings')}</Text>
                    )}
                  </td>
                </tr>
              )}
            </Fragment>
          )
        })}
      </tbody>
    </table>
  )
}

function FindingDetails({
  finding,
  host,
  isRunning,
  onFix,
}: {
  readonly finding: Finding
  readonly host: string
  readonly isRunning: boolean
  readonly onFix: (fixes: readonly Fix[]) => void
}) {
  const { t } = useTranslation()
  const words = useRuleWords()
  const { fix } = finding
  const text = words(finding)
  return (
    <section className={styles['finding']} aria-label={`${finding.rule} ${host}`}>
      <Group gap={8} wrap="nowrap">
        <StatusShape status={shapeOf[finding.status]} />
        <Text size="sm" fw={600}>
          {finding.rule} · {words(finding).title}
        </Text>
        <Text size="sm" c="dimmed">
          {t(`wizard.hosts.status.${finding.status}`)} · {t(`wizard.hosts.severity.${finding.severity}`)}
        </Text>
      </Group>
      <dl className={styles['facts']}>
        <dt>{t('wizard.hosts.found')}</dt>
        <dd className="sb-mono">{finding.found}</dd>
        <dt>{t('wizard.hosts.expected')}</dt>
        <dd className="sb-mono">{finding.expected}</dd>
        <dt>{t('wizard.hosts.result')}</dt>
        <dd>{text.message}</dd>
        <dt>{t('wizard.hosts.why')}</dt>
        <dd>{text.why}</dd>
      </dl>
      {fix !== null && finding.status !== 'ok' && (
        <>
          {text.fix !== null && (
            <Text size="sm" mb={4}>
              {text.fix}
            </Text>
          )}
          <CommandBlock
            title={t('wizard.hosts.onHost', { host })}
            label={t('wizard.hosts.commandsFor', { host })}
            commands={fix.commands}
          />
          <Button mt={6} variant="default" disabled={isRunning} onClick={() => onFix([fix])}>
            {t('wizard.hosts.fixOne', { rule: finding.rule })}
          </Button>
        </>
      )}
    </section>
  )
}
