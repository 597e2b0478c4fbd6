import { ActionIcon, Menu, Tooltip } from '@mantine/core'
import { spotlight } from '@mantine/spotlight'
import { Fragment } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation } from 'wouter'
import { paths } from '../app/paths.ts'
import { ClusterMark } from '../cluster/cluster-mark.tsx'
import { Icon } from '../components/icon.tsx'
import { Tag } from '../components/page.tsx'
import { StatusShape } from '../components/status-mark.tsx'
import { useDuration } from '../components/time.tsx'
import { useNow } from '../store/clock.ts'
import { byCluster } from '../store/cluster.ts'
import { useConsole } from '../store/console-store.ts'
import { savePreferences } from '../store/preferences.ts'
import { useDirector, useFreshness } from '../store/selectors.ts'
import markUrl from '../styles/icon.svg'
import styles from './frame.module.css'
import { statusOfPhase } from './session-status.ts'

export function TopBar({
  directorId,
  onHelp,
}: {
  readonly directorId: string | undefined
  readonly onHelp: () => void
}) {
  const { t } = useTranslation()
  return (
    <header className={styles.top}>
      <Link href={paths.home} className={styles.brand}>
        <img src={markUrl} width={22} height={22} alt="" />
        Signalbox
      </Link>
      <DirectorSwitch directorId={directorId} />
      {directorId !== undefined && <ClusterMark directorId={directorId} />}
      <span className={styles.spring} />
      <button type="button" className={styles.search} onClick={() => spotlight.open()}>
        <Icon name="search" size={14} />
        <span className="sb-cut">{t('frame.search')}</span>
        <kbd className={styles.kbd}>{isMac() ? '⌘K' : 'Ctrl K'}</kbd>
      </button>
      {directorId !== undefined && <DataAge directorId={directorId} />}
      <ThemeSwitch />
      <LanguageSwitch />
      <Tooltip label={`${t('frame.help')} (?)`}>
        <ActionIcon aria-label={t('frame.help')} onClick={onHelp}>
          <Icon name="help" />
        </ActionIcon>
      </Tooltip>
    </header>
  )
}

export function isMac(): boolean {
  return /Mac/.test(navigator.platform)
}

function DirectorSwitch({ directorId }: { readonly directorId: string | undefined }) {
  const { t } = useTranslation()
  const [, navigate] = useLocation()
  const directors = useConsole((s) => s.directors) ?? []
  const shown = useDirector(directorId)
  return (
    <Menu width={300}>
      <Menu.Target>
        <button type="button" className={styles.switch} aria-label={t('frame.director')} id="director-switch">
          {shown === undefined ? (
            <span className="sb-dim">{t('frame.noDirector')}</span>
          ) : (
            <>
              <StatusShape status={statusOfPhase(shown.session.phase)} />
              <span className="sb-cut" title={shown.profile.name}>
                {shown.profile.name}
              </span>
              {shown.profile.isProduction && <Tag tone="warn">{t('frame.production')}</Tag>}
              <span className={styles.phase}>{t(`phase.${shown.session.phase}`)}</span>
            </>
          )}
          <Icon name="chevron" size={14} />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {byCluster(directors).map(([cluster, members]) => (
          <Fragment key={cluster ?? ''}>
            <Menu.Label>
              {cluster === undefined ? t('frame.directors') : t('cluster.title', { name: cluster })}
            </Menu.Label>
            {members.map(({ profile, session }) => (
              <Menu.Item
                key={profile.id}
                leftSection={<StatusShape status={statusOfPhase(session.phase)} />}
                rightSection={<span className="sb-dim">{t(`phase.${session.phase}`)}</span>}
                onClick={() =>
                  navigate(
                    session.phase === 'ready' || session.phase === 'reconnecting'
                      ? paths.view(profile.id, 'overview')
                      : paths.connectTo(profile.id),
                  )
                }
              >
                {profile.name}
              </Menu.Item>
            ))}
          </Fragment>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<Icon name="plus" />} onClick={() => navigate(paths.connect)}>
          {t('frame.connectDirector')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

/** How old the data on the page are: live while the stream of states is open, else the age of the last word. */
function DataAge({ directorId }: { readonly directorId: string }) {
  const { t } = useTranslation()
  const freshness = useFreshness(directorId)
  const heardAtMs = useConsole((s) => s.data[directorId]?.heardAtMs ?? 0)
  const now = useNow()
  const duration = useDuration()
  if (freshness === 'none') return null
  return (
    <span className={styles.age} data-stale={freshness === 'stale' || undefined}>
      <span className={styles.dot} />
      {freshness === 'live' ? t('frame.live') : t('frame.dataAge', { age: duration(now - heardAtMs) })}
    </span>
  )
}

const nextTheme = { system: 'light', light: 'dark', dark: 'system' } as const
const themeIcon = { system: 'auto', light: 'sun', dark: 'moon' } as const

function ThemeSwitch() {
  const { t } = useTranslation()
  const theme = useConsole((s) => s.preferences.theme)
  const label = t('frame.theme', { theme: t(`theme.${theme}`) })
  return (
    <Tooltip label={label}>
      <ActionIcon aria-label={label} onClick={() => savePreferences({ theme: nextTheme[theme] })}>
        <Icon name={themeIcon[theme]} />
      </ActionIcon>
    </Tooltip>
  )
}

function LanguageSwitch() {
  const { t, i18n } = useTranslation()
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Tooltip label={t('frame.language')}>
          <ActionIcon aria-label={t('frame.language')}>
            <Icon name="language" />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        {(
          [
            ['en', 'English'],
            ['zh-CN', '简体中文'],
          ] as const
        ).map(([language, name]) => (
          <Menu.Item
            key={language}
            lang={language}
            onClick={() => savePreferences({ language })}
            rightSection={i18n.language === language ? <Icon name="check" size={14} /> : undefined}
          >
            {name}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <TimesItems />
      </Menu.Dropdown>
    </Menu>
  )
}

/** Whether times are read in the operator's zone or in UTC. */
function TimesItems() {
  const { t } = useTranslation()
  const times = useConsole((s) => s.preferences.times)
  return (['local', 'utc'] as const).map((one) => (
    <Menu.Item
      key={one}
      onClick={() => savePreferences({ times: one })}
      rightSection={times === one ? <Icon name="check" size={14} /> : undefined}
    >
      {t(`frame.times.${one}`)}
    </Menu.Item>
  ))
}
