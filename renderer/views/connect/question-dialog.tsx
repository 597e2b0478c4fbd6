import { Button, Checkbox, Modal, PasswordInput, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Answer, Question } from '../../../core/contract/session.ts'
import { client } from '../../connection/client.ts'
import { useCommand } from '../../connection/use-call.ts'
import { CopyButton } from '../../components/copy.tsx'
import { InlineError } from '../../components/inline-error.tsx'
import { formatBytes } from '../../format/number.ts'
import { useConsole } from '../../store/console-store.ts'
import styles from './connect.module.css'

type Of<K extends Question['kind']> = Extract<Question, { kind: K }>

/** What only the operator can answer. Closing it is a no, and the connection says so. */
export function QuestionDialog({
  directorId,
  question,
}: {
  readonly directorId: string
  readonly question: Question | null
}) {
  const { t } = useTranslation()
  const send = useCommand((answer: Answer) =>
    client.call('directors.answer', { directorId, questionId: question?.id ?? '', answer }),
  )
  const answer = (value: Answer) => void send.run(value)
  return (
    <Modal
      opened={question !== null}
      onClose={() => answer({ kind: 'reject' })}
      title={question === null ? '' : t(`question.${question.kind}.title`)}
      size={560}
      closeButtonProps={{ 'aria-label': t('action.cancel') }}
      closeOnClickOutside={false}
    >
      {question !== null && (
        <div className={styles.dialog} key={question.id}>
          {question.kind === 'hostKey' && <HostKey question={question} onAnswer={answer} isBusy={send.isRunning} />}
          {question.kind === 'install' && <Install question={question} onAnswer={answer} isBusy={send.isRunning} />}
          {(question.kind === 'passphrase' || question.kind === 'password' || question.kind === 'keyboard') && (
            <Secrets question={question} onAnswer={answer} isBusy={send.isRunning} />
          )}
          <InlineError error={send.error} />
        </div>
      )}
    </Modal>
  )
}

interface AskProps<Q> {
  readonly question: Q
  readonly onAnswer: (answer: Answer) => void
  readonly isBusy: boolean
}

/** An unknown key: how to compare it, and Cancel as what Enter does. */
function HostKey({ question, onAnswer, isBusy }: AskProps<Of<'hostKey'>>) {
  const { t } = useTranslation()
  const command = `ssh-keygen -lf /etc/ssh/ssh_host_${question.keyType.replace(/^ssh-/, '').replace(/^ecdsa-.*/, 'ecdsa')}_key.pub`
  return (
    <>
      <p>{t('question.hostKey.sentence', { host: question.host, port: question.port })}</p>
      <div>
        <div className={styles.note}>{t('question.hostKey.fingerprint', { keyType: question.keyType })}</div>
        <div className={styles.fingerprint}>
          <code data-testid="fingerprint">{question.fingerprint}</code>
          <CopyButton text={question.fingerprint} what={t('welcome.fingerprint')} />
        </div>
      </div>
      <div>
        <div className={styles.note}>{t('question.hostKey.compare')}</div>
        <div className={styles.fingerprint}>
          <code>{command}</code>
          <CopyButton text={command} what={t('question.hostKey.command')} />
        </div>
      </div>
      <p className={styles.note}>{t('question.hostKey.pinned')}</p>
      <div className={styles.buttons}>
        <Button variant="default" onClick={() => onAnswer({ kind: 'reject' })} disabled={isBusy} data-autofocus>
          {t('action.cancel')}
        </Button>
        <Button onClick={() => onAnswer({ kind: 'accept' })} loading={isBusy}>
          {t('question.hostKey.accept')}
        </Button>
      </div>
    </>
  )
}

/** What goes where, as whom, and how it leaves again. */
function Install({ question, onAnswer, isBusy }: AskProps<Of<'install'>>) {
  const { t, i18n } = useTranslation()
  return (
    <>
      <p>
        {t(`question.install.${question.reason}`, {
          version: question.version,
          installed: question.installedVersion ?? '',
        })}
      </p>
      <div>
        <div className={styles.note}>
          {t('question.install.what', { size: formatBytes(question.bytes, i18n.language) })}
        </div>
        <ul className={styles.actions}>
          {question.actions.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      </div>
      <p>{t(question.withSudo ? 'question.install.asSudo' : 'question.install.as', { user: question.asUser })}</p>
      <p className={styles.note}>{t('question.install.remove')}</p>
      <div className={styles.buttons}>
        <Button variant="default" onClick={() => onAnswer({ kind: 'reject' })} disabled={isBusy}>
          {t('action.cancel')}
        </Button>
        <Button onClick={() => onAnswer({ kind: 'accept' })} loading={isBusy} data-autofocus>
          {t(question.reason === 'missing' ? 'question.install.install' : 'question.install.replace', {
            version: question.version,
          })}
        </Button>
      </div>
    </>
  )
}

/** Passphrase, password, or whatever the host asks line by line. */
function Secrets({ question, onAnswer, isBusy }: AskProps<Of<'passphrase'> | Of<'password'> | Of<'keyboard'>>) {
  const { t } = useTranslation()
  const capabilities = useConsole((s) => s.info?.capabilities)
  const prompts =
    question.kind === 'keyboard'
      ? question.prompts
      : [
          {
            prompt:
              question.kind === 'passphrase'
                ? t('question.passphrase.label', { keyFile: question.keyFile })
                : t('question.password.label', { user: question.user, host: question.host }),
            echo: false,
          },
        ]
  const [secrets, setSecrets] = useState<readonly string[]>(() => prompts.map(() => ''))
  const [remember, setRemember] = useState(false)
  const wasWrong = question.kind !== 'keyboard' && question.wasWrong
  return (
    <form
      className={styles.dialog}
      onSubmit={(event) => {
        event.preventDefault()
        onAnswer({ kind: 'secrets', secrets: [...secrets], remember })
      }}
    >
      {question.kind === 'keyboard' && question.instructions !== '' && <p>{question.instructions}</p>}
      {prompts.map(({ prompt, echo }, i) => {
        const Input = echo ? TextInput : PasswordInput
        return (
          <Input
            key={i}
            label={prompt}
            value={secrets[i] ?? ''}
            onChange={(event) => {
              const { value } = event.currentTarget
              setSecrets((before) => before.map((one, k) => (k === i ? value : one)))
            }}
            error={wasWrong ? t(`question.${question.kind}.wrong`) : undefined}
            autoComplete="off"
            data-autofocus={i === 0 || undefined}
          />
        )
      })}
      {question.kind !== 'keyboard' && (
        <Checkbox
          label={t('question.remember')}
          description={
            capabilities?.keepsSecrets === false
              ? (capabilities.keepsSecretsReason ?? t('question.rememberNot'))
              : t('question.rememberHint')
          }
          disabled={capabilities?.keepsSecrets === false}
          checked={remember}
          onChange={(event) => setRemember(event.currentTarget.checked)}
        />
      )}
      <div className={styles.buttons}>
        <Button variant="default" onClick={() => onAnswer({ kind: 'reject' })} disabled={isBusy}>
          {t('action.cancel')}
        </Button>
        <Button type="submit" loading={isBusy}>
          {t('question.send')}
        </Button>
      </div>
    </form>
  )
}
