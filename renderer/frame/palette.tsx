import { Spotlight, type SpotlightActionGroupData } from '@mantine/spotlight'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import { realServerKey, serviceAddress, serviceKey } from '../../core/model/service.ts'
import { paths } from '../app/paths.ts'
import { routes } from '../app/route-names.ts'
import { openReview, useChange } from '../change/change-store.ts'
import { Icon } from '../components/icon.tsx'
import { useConsole } from '../store/console-store.ts'
import { savePreferences } from '../store/preferences.ts'
import { useDirectorState } from '../store/selectors.ts'
import { useNewService } from '../views/services/new-service.tsx'

/** Everything that has a name or a verb, under Ctrl-K: views, services, real servers, directors, commands. */
export function Palette({
  directorId,
  onHelp,
}: {
  readonly directorId: string | undefined
  readonly onHelp: () => void
}) {
  const { t } = useTranslation()
  const [, navigate] = useLocation()
  const state = useDirectorState(directorId)
  const newService = useNewService(directorId)
  const directors = useConsole((s) => s.directors) ?? []
  const hasPending = useChange((s) => directorId !== undefined && s.pending[directorId] !== undefined)

  const actions: SpotlightActionGroupData[] = []
  if (directorId !== undefined) {
    actions.push({
      group: t('palette.views'),
      actions: routes.map(({ id, key }) => ({
        id: `view ${id}`,
        label: t(`nav.${id}`),
        leftSection: <Icon name={id} />,
        rightSection: <span className="sb-dim">g {key}</span>,
        onClick: () => navigate(paths.view(directorId, id)),
      })),
    })
  }
  if (directorId !== undefined && state !== null) {
    actions.push({
      group: t('palette.services'),
      actions: [
        ...state.observed.services
          .filter(({ isForeign }) => isForeign)
          .map((service) => ({
            id: `foreign ${serviceKey(service)}`,
            label: serviceAddress(service),
            description: t('foreign.sentence'),
            leftSection: <Icon name="services" />,
            onClick: () => navigate(paths.service(directorId, serviceKey(service))),
          })),
        ...state.spec.services.flatMap((service) => {
          const key = serviceKey(service)
          const go = () => navigate(paths.service(directorId, key))
          return [
            { id: key, label: service.name, description: key, leftSection: <Icon name="services" />, onClick: go },
            ...service.realServers.slice(0, 200).map((server) => ({
              id: `${key} ${realServerKey(server)}`,
              label: realServerKey(server),
              description: `${server.name === undefined ? '' : `${server.name} · `}${service.name}`,
              leftSection: <Icon name="hosts" />,
              onClick: go,
            })),
          ]
        }),
      ],
    })
  }
  actions.push({
    group: t('palette.commands'),
    actions: [
      ...(directorId === undefined
        ? []
        : [
            {
              id: 'new service',
              label: t('action.newService'),
              leftSection: <Icon name="plus" />,
              onClick: () => void newService.run(),
            },
          ]),
      ...(hasPending && directorId !== undefined
        ? [
            {
              id: 'review',
              label: t('palette.review'),
              leftSection: <Icon name="check" />,
              onClick: () => openReview(directorId),
            },
          ]
        : []),
      {
        id: 'connect',
        label: t('frame.connectDirector'),
        leftSection: <Icon name="plug" />,
        onClick: () => navigate(paths.connect),
      },
      ...(['light', 'dark', 'system'] as const).map((theme) => ({
        id: `theme ${theme}`,
        label: t('frame.theme', { theme: t(`theme.${theme}`) }),
        leftSection: <Icon name={theme === 'light' ? 'sun' : theme === 'dark' ? 'moon' : 'auto'} />,
        onClick: () => savePreferences({ theme }),
      })),
      { id: 'keys', label: t('keys.title'), leftSection: <Icon name="help" />, onClick: onHelp },
    ],
  })
  if (directors.length > 0) {
    actions.push({
      group: t('palette.directors'),
      actions: directors.map(({ profile, session }) => ({
        id: `director ${profile.id}`,
        label: profile.name,
        description: t(`phase.${session.phase}`),
        leftSection: <Icon name="hosts" />,
        onClick: () =>
          navigate(session.phase === 'ready' ? paths.view(profile.id, 'overview') : paths.connectTo(profile.id)),
      })),
    })
  }

  return (
    <Spotlight
      actions={actions}
      shortcut="mod + K"
      nothingFound={t('palette.nothing')}
      limit={60}
      scrollable
      overlayProps={{ blur: 0, backgroundOpacity: 0.45 }}
      maxHeight={420}
      searchProps={{
        placeholder: t('frame.search'),
        'aria-label': t('frame.search'),
        leftSection: <Icon name="search" />,
      }}
    />
  )
}
