import { useEffect, useRef } from 'react'
import { useLocation } from 'wouter'
import { paths } from '../app/paths.ts'
import { routes } from '../app/route-names.ts'

/** Time within which the letter has to follow `g`. */
const followMs = 1200

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches('input, textarea, select, [role="combobox"], [role="textbox"]'))

/** A dialog or drawer has the keyboard to itself. */
const isModalOpen = (): boolean => document.querySelector('[role="dialog"][aria-modal="true"]') !== null

/** Keys that work everywhere; those of tables and dialogs live with them. */
export function useShortcuts(directorId: string | undefined, onHelp: () => void): void {
  const [, navigate] = useLocation()
  const goneAt = useRef(0)
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
      if (event.key === 'Escape' && event.target instanceof HTMLInputElement && event.target.type === 'search') {
        event.target.blur()
        return
      }
      if (isTyping(event.target) || isModalOpen()) return
      const followsG = event.timeStamp - goneAt.current < followMs
      goneAt.current = 0
      if (followsG) {
        const route = routes.find(({ key }) => key === event.key)
        if (event.key === 'c') document.getElementById('director-switch')?.click()
        else if (route !== undefined && directorId !== undefined) navigate(paths.view(directorId, route.id))
        else return
      } else if (event.key === 'g') goneAt.current = event.timeStamp
      else if (event.key === '?') onHelp()
      else if (event.key === '/') document.querySelector<HTMLInputElement>('main input[type="search"]')?.focus()
      else if (event.key === 'j' || event.key === 'k') {
        // Into the first table; from there its own keys walk.
        document.querySelector<HTMLElement>('main [data-rows] tr[data-active]')?.focus()
      } else return
      event.preventDefault()
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [directorId, navigate, onHelp])
}
