import { Button, FileButton, Group, SegmentedControl, Text, Textarea } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { AppError } from '../../../core/contract/errors.ts'
import type { Issue } from '../../../core/model/issue.ts'
import { textOfBytes } from '../../../core/model/utf8.ts'
import { openReview, proposeSpec } from '../../change/change-store.ts'
import { CopyTextButton } from '../../components/copy.tsx'
import { InlineError } from '../../components/inline-error.tsx'
import { IssueSummary } from '../../components/issue-summary.tsx'
import { Page, Panel } from '../../components/page.tsx'
import { LoadingRows, Stale, StaleNotice } from '../../components/states.tsx'
import { client } from '../../connection/client.ts'
import { useCommand, useFetched } from '../../connection/use-call.ts'
import { useDirectorState, useFreshness, useHindrance } from '../../store/selectors.ts'
import { saveFile } from './save-file.ts'

/** Greatest file that is read: far beyond a thousand services, far below what would stall the page. */
const maxFileBytes = 4_000_000

/** The cluster's document as a file, and a file as a change to be reviewed. */
export default function ShareView({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const freshness = useFreshness(directorId)
  return (
    <Page title={t('share.title')}>
      <StaleNotice directorId={directorId} />
      <Stale freshness={freshness}>
        <Export directorId={directorId} />
        <Import directorId={directorId} />
      </Stale>
    </Page>
  )
}

function Export({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const state = useDirectorState(directorId)
  const [format, setFormat] = useState<'yaml' | 'json'>('yaml')
  const file = useFetched(state === null ? null : `${format} ${state.revision} ${state.digest}`, (signal) => {
    if (state === null) throw new TypeError('There is no document yet.')
    return client.call('share.export', { spec: state.spec, format }, { signal })
  })
  return (
    <Panel
      title={t('share.export')}
      aside={
        <Group gap="xs">
          <SegmentedControl
            aria-label={t('share.format')}
            data={['yaml', 'json'].map((value) => ({ value, label: value.toUpperCase() }))}
            value={format}
            onChange={(value) => setFormat(value as 'yaml' | 'json')}
          />
          {file.value !== null && (
            <>
              <CopyTextButton text={file.value.text} label={t('share.copy')} />
              <Button
                variant="default"
                onClick={() => file.value !== null && saveFile(file.value.fileName, file.value.text)}
              >
                {t('share.save', { file: file.value.fileName })}
              </Button>
            </>
          )}
        </Group>
      }
    >
      <InlineError error={file.error} onRetry={file.reload} />
      {file.value === null ? (
        file.error === null && <LoadingRows rows={6} />
      ) : (
        <pre className="sb-code" tabIndex={0} role="group" aria-label={t('share.document')}>
          {file.value.text}
        </pre>
      )}
    </Panel>
  )
}

function Import({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const hindrance = useHindrance(directorId)
  const [text, setText] = useState('')
  const [issues, setIssues] = useState<readonly Issue[]>([])
  const [attempt, setAttempt] = useState(0)
  const propose = useCommand(async () => {
    const parsed = await client.call('share.parse', { text })
    setIssues(parsed.issues)
    setAttempt((n) => n + 1)
    if (parsed.spec === null) return
    proposeSpec(directorId, parsed.spec, t('share.importMessage'))
    openReview(directorId)
  })
  const readFile = useCommand(async (file: File | null) => {
    if (file === null) return
    if (file.size > maxFileBytes) {
      throw new AppError('TOO_LARGE', t('share.tooLarge', { found: file.size, max: maxFileBytes }))
    }
    const read = textOfBytes(new Uint8Array(await file.arrayBuffer()))
    const content = read.ok ? read.value : ''
    setText(content)
    // An empty file has nothing to press a button for: what is wrong with it is said at once.
    const isEmpty = read.ok && content.trim() === ''
    setIssues(isEmpty ? (await client.call('share.parse', { text: content })).issues : read.ok ? [] : read.issues)
    setAttempt((n) => n + 1)
  })
  return (
    <Panel title={t('share.import')}>
      <Text size="sm" c="dimmed" mb={6}>
        {t('share.importHint')}
      </Text>
      <IssueSummary issues={issues} attempt={attempt} title={t('share.issues', { count: issues.length })} />
      <Textarea
        aria-label={t('share.importText')}
        placeholder={t('share.placeholder')}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        autosize
        minRows={6}
        maxRows={18}
        classNames={{ input: 'sb-mono' }}
        spellCheck={false}
      />
      <InlineError error={propose.error ?? readFile.error} />
      <Group gap="xs" mt="xs">
        <FileButton onChange={(file) => void readFile.run(file)} accept=".yaml,.yml,.json">
          {(props) => (
            <Button variant="default" {...props}>
              {t('share.chooseFile')}
            </Button>
          )}
        </FileButton>
        <Button
          loading={propose.isRunning}
          disabled={hindrance !== null || text.trim() === ''}
          onClick={() => void propose.run()}
        >
          {t('share.review')}
        </Button>
        {hindrance !== null && <Text size="sm">{t(`hindrance.${hindrance}`)}</Text>}
      </Group>
    </Panel>
  )
}
