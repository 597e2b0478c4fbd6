import { Button, Group, NumberInput, Progress, Select, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ProofFrom } from '../../../core/contract/console.ts'
import type { WireError } from '../../../core/contract/errors.ts'
import { type ProofRequest, summarizeProof } from '../../../core/model/proof.ts'
import type { ClientHost } from '../../../core/model/ssh.ts'
import { DataTable } from '../../components/data-table.tsx'
import { InlineError } from '../../components/inline-error.tsx'
import { formatShare } from '../../format/number.ts'
import { StatusMark } from '../../components/status-mark.tsx'

interface ProofPanelProps {
  readonly clientHosts: readonly ClientHost[]
  readonly requests: readonly ProofRequest[]
  /** Requests asked for in the run that is shown; null where none was started. */
  readonly wanted: number | null
  readonly isRunning: boolean
  readonly error: WireError | null
  /** By real server key, 0 to 1. */
  readonly expectedShares: Readonly<Record<string, number>>
  /** One client address is served by one real server: shares are not promised. */
  readonly isSticky: boolean
  /** The real servers see an address of the director. */
  readonly hidesClient: boolean
  readonly run: (from: ProofFrom, requests: number) => void
}

/** Real requests through the VIP: who answered by the agent's flow record, how long, and the shares against expected. */
export function ProofPanel(props: ProofPanelProps) {
  const { clientHosts, requests, wanted, isRunning, error, expectedShares, isSticky, hidesClient, run } = props
  const { t, i18n } = useTranslation()
  const [from, setFrom] = useState(clientHosts[0]?.id ?? 'workstation')
  const [count, setCount] = useState(60)
  const summary = summarizeProof(requests, expectedShares)
  const answered = summary.requests - summary.failed
  const isDone = wanted !== null && !isRunning
  return (
    <Stack gap="xs">
      <Group align="flex-end" gap="xs">
        <Select
          label={t('wizard.proof.from')}
          data={[
            ...clientHosts.map(({ id, name }) => ({ value: id, label: name })),
            { value: 'workstation', label: t('wizard.proof.workstation') },
          ]}
          value={from}
          allowDeselect={false}
          onChange={(value) => value !== null && setFrom(value)}
          w={240}
        />
        <NumberInput
          label={t('wizard.proof.requests')}
          value={count}
          min={1}
          max={1000}
          onChange={(value) => setCount(Math.min(1000, Math.max(1, Number(value) || 1)))}
          w={120}
        />
        <Button
          loading={isRunning}
          onClick={() => run(from === 'workstation' ? { kind: 'workstation' } : { kind: 'host', id: from }, count)}
        >
          {t('wizard.proof.send')}
        </Button>
      </Group>
      <InlineError error={error} />
      {wanted !== null && (
        <>
          <Progress value={(100 * summary.requests) / wanted} aria-label={t('wizard.proof.progress')} size="sm" />
          <Text size="sm" role="status" aria-live="polite">
            {isDone && summary.failed === 0 && answered > 0 ? (
              <StatusMark status="up" label={t('wizard.proof.passed', { count: answered })} />
            ) : isDone ? (
              <StatusMark
                status="down"
                label={t('wizard.proof.failed', { failed: summary.failed, requests: summary.requests })}
              />
            ) : (
              t('wizard.proof.running', { done: summary.requests, wanted })
            )}
          </Text>
          <DataTable
            label={t('wizard.proof.table')}
            rows={Object.entries(summary.perRealServer)}
            rowKey={([key]) => key}
            maxHeight="260px"
            columns={[
              {
                id: 'realServer',
                header: t('wizard.proof.realServer'),
                cell: ([key]) => <span className="sb-mono">{key}</span>,
              },
              {
                id: 'answers',
                header: t('wizard.proof.answers'),
                align: 'end',
                width: 110,
                cell: ([, own]) => own,
              },
              {
                id: 'share',
                header: t('wizard.proof.share'),
                align: 'end',
                width: 110,
                cell: ([, own]) => (answered === 0 ? '—' : formatShare(own / answered, i18n.language)),
              },
              {
                id: 'expected',
                header: t('wizard.proof.expected'),
                align: 'end',
                width: 110,
                cell: ([key]) => (isSticky ? '–' : formatShare(expectedShares[key] ?? 0, i18n.language)),
              },
            ]}
          />
          {isSticky && <Text size="sm">{t('wizard.proof.sticky')}</Text>}
          {summary.clientAddresses.length > 0 && (
            <Text size="sm">
              {t(hidesClient ? 'wizard.proof.clientHidden' : 'wizard.proof.clientAddress', {
                addresses: summary.clientAddresses.join(', '),
              })}
            </Text>
          )}
          {summary.unattributed > 0 && (
            <Text size="sm">{t('wizard.proof.unattributed', { count: summary.unattributed })}</Text>
          )}
          {summary.failed > 0 && <Failures requests={requests} />}
        </>
      )}
    </Stack>
  )
}

function Failures({ requests }: { readonly requests: readonly ProofRequest[] }) {
  const { t } = useTranslation()
  const counts = new Map<string, number>()
  for (const { isOk, error } of requests) if (!isOk) counts.set(error ?? '—', (counts.get(error ?? '—') ?? 0) + 1)
  return (
    <DataTable
      label={t('wizard.proof.errors')}
      rows={[...counts]}
      rowKey={([error]) => error}
      maxHeight="160px"
      columns={[
        { id: 'error', header: t('wizard.proof.error'), cell: ([error]) => <span className="sb-mono">{error}</span> },
        { id: 'count', header: t('wizard.proof.count'), align: 'end', width: 110, cell: ([, count]) => count },
      ]}
    />
  )
}
