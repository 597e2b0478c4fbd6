import { Switch, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { type Issue, formatPath } from '../../../core/model/issue.ts'
import { fieldOf } from '../../components/issue-summary.tsx'
import { useIssueText } from '../../components/issue-text.ts'
import styles from './connect.module.css'
import type { TargetText } from './target-text.ts'

/** Where and as whom to log in, with one jump host; used for directors, client hosts and real servers. */
export function TargetFields({
  value,
  onChange,
  issues,
  path,
  canJump = true,
}: {
  readonly value: TargetText
  readonly onChange: (value: TargetText) => void
  readonly issues: readonly Issue[]
  /** Path of the target in what is saved; issues name their fields by it. */
  readonly path: readonly string[]
  readonly canJump?: boolean
}) {
  const { t } = useTranslation()
  return (
    <>
      <HopFields value={value} onChange={(hop) => onChange({ ...value, ...hop })} issues={issues} path={path} />
      {canJump && (
        <Switch
          label={t('target.hasJump')}
          checked={value.hasJump}
          onChange={(event) => onChange({ ...value, hasJump: event.currentTarget.checked })}
        />
      )}
      {canJump && value.hasJump && (
        <fieldset className={styles.jump}>
          <legend>{t('target.jump')}</legend>
          <HopFields
            value={value.jump}
            onChange={(jump) => onChange({ ...value, jump })}
            issues={issues}
            path={[...path, 'jump']}
          />
        </fieldset>
      )}
    </>
  )
}

type Hop = TargetText['jump']

function HopFields({
  value,
  onChange,
  issues,
  path,
}: {
  readonly value: Hop
  readonly onChange: (hop: Hop) => void
  readonly issues: readonly Issue[]
  readonly path: readonly string[]
}) {
  const { t } = useTranslation()
  const textOf = useIssueText()
  const isJump = path.at(-1) === 'jump'
  const field = (name: keyof Hop) => {
    const own = [...path, name]
    const issue = issues.find((one) => formatPath(one.path) === formatPath(own))
    return {
      ...fieldOf(own),
      label: t(isJump ? `target.jumpField.${name}` : `target.${name}`),
      value: value[name],
      onChange: (event: { readonly currentTarget: { readonly value: string } }) =>
        onChange({ ...value, [name]: event.currentTarget.value }),
      error: issue === undefined ? undefined : textOf(issue),
      autoComplete: 'off',
      spellCheck: false,
    }
  }
  return (
    <>
      <div className={styles.hostRow}>
        <TextInput {...field('host')} placeholder="lb1.example.net" />
        <TextInput {...field('port')} inputMode="numeric" />
      </div>
      <div className={styles.userRow}>
        <TextInput {...field('user')} />
        <TextInput {...field('keyFile')} placeholder={t('target.keyFilePlaceholder')} />
      </div>
    </>
  )
}
