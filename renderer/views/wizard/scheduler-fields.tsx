import { Checkbox, Radio, Stack, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { Scheduler, schedulers } from '../../../core/model/scheduler.ts'
import { More } from '../../components/more.tsx'
import { useFieldErrors } from './field-errors.ts'
import { offerOf } from './form.ts'
import styles from './scheduler-fields.module.css'
import type { StepProps } from './step-props.ts'

/** What most services use, in the order of their usefulness; the rest stands behind "more". */
const usual: readonly Scheduler[] = ['rr', 'wrr', 'lc', 'wlc', 'sh', 'mh']

/** The scheduler with a line on each, and the flags that the chosen one reads. */
export function SchedulerFields({ form, change, issues, hello }: StepProps) {
  const { t } = useTranslation()
  const errorOf = useFieldErrors(issues)
  const offer = offerOf(form)
  const chosen = Scheduler.safeParse(form.scheduler).data
  const isAbsent = (name: Scheduler) =>
    form.dataplane === 'ipvs' && hello?.ipvs.schedulers.find((one) => one.name === name)?.isAvailable === false
  const radio = (name: Scheduler) => (
    <Radio
      key={name}
      value={name}
      disabled={isAbsent(name) && name !== chosen}
      label={
        <>
          <span className="sb-mono">{name}</span> · {t(`wizard.scheduler.names.${name}`)}
        </>
      }
      description={isAbsent(name) ? t('wizard.scheduler.absent') : t(`wizard.scheduler.hints.${name}`)}
    />
  )
  const first = usual.filter((name) => offer.schedulers.includes(name))
  const rest = offer.schedulers.filter((name) => !usual.includes(name))
  const flags = chosen === undefined || !offer.hasSchedulerFlags ? [] : schedulers[chosen].flags
  return (
    <Stack gap="xs">
      <Radio.Group
        label={t('wizard.scheduler.label')}
        value={form.scheduler}
        error={errorOf('scheduler')}
        data-field="scheduler"
        tabIndex={-1}
        onChange={(scheduler) => change({ scheduler })}
      >
        <div className={styles.list}>{first.map(radio)}</div>
        {rest.length > 0 && (
          <More
            label={t('wizard.scheduler.more', { count: rest.length })}
            isNeeded={chosen !== undefined && rest.includes(chosen)}
          >
            <div className={styles.list}>{rest.map(radio)}</div>
          </More>
        )}
      </Radio.Group>
      {chosen !== undefined && (
        <Text size="sm" c="dimmed">
          {t(`wizard.scheduler.weight.${schedulers[chosen].weight}`, { scheduler: chosen })}
        </Text>
      )}
      {flags.length > 0 && (
        <Checkbox.Group
          label={t('wizard.scheduler.flags', { scheduler: form.scheduler })}
          value={[...form.schedulerFlags]}
          error={errorOf('schedulerFlags')}
          onChange={(values) => change({ schedulerFlags: flags.filter((flag) => values.includes(flag)) })}
        >
          <Stack gap={6} mt={4}>
            {flags.map((flag) => (
              <Checkbox
                key={flag}
                value={flag}
                label={`${form.scheduler}-${flag}`}
                description={t(`wizard.scheduler.flag.${flag}`)}
              />
            ))}
          </Stack>
        </Checkbox.Group>
      )}
    </Stack>
  )
}
