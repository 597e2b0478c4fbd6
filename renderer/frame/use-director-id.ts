import { useEffect } from 'react'
import { useLocation } from 'wouter'
import { lastDirector } from '../app/last-director.ts'
import { type Route, routes } from '../app/route-names.ts'
import { useConsole } from '../store/console-store.ts'

/** What the location says: the director and the view that are shown. */
export function useShown(): { directorId: string | undefined; view: Route | 'connect' | 'new' | undefined } {
  const [location] = useLocation()
  const [, first, second, third] = location.split('/')
  if (first === 'connect') return { directorId: second, view: 'connect' }
  if (first !== 'd') return { directorId: undefined, view: undefined }
  const view = third === 'new' ? 'new' : routes.find(({ id }) => id === third)?.id
  return { directorId: second, view }
}

/** The director of the frame: the one shown, else the one shown last while it exists. */
export function useFrameDirector(): string | undefined {
  const { directorId, view } = useShown()
  const isKnown = useConsole((s) => s.directors?.some(({ profile }) => profile.id === directorId) ?? false)
  const last = useConsole((s) => {
    const id = lastDirector.get()
    return s.directors?.find(({ profile, session }) => profile.id === id && session.phase !== 'disconnected')?.profile
      .id
  })
  useEffect(() => {
    if (directorId !== undefined && isKnown && view !== 'connect') lastDirector.set(directorId)
  }, [directorId, isKnown, view])
  return directorId !== undefined && isKnown ? directorId : last
}
