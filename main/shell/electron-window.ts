import type { BrowserWindowConstructorOptions, Rectangle } from 'electron'
import { z } from 'zod'
import type { DocumentFile } from './document-store.ts'
import { webPreferences } from './electron-guards.ts'

export const minWidth = 1024
export const minHeight = 700
const usualSize = { width: 1440, height: 900 }
/** Of a window, in pixels, that must lie on some display for its title bar to be caught with the mouse. */
const minVisible = 100

const WindowState = z.object({
  x: z.int(),
  y: z.int(),
  width: z.int().min(minWidth),
  height: z.int().min(minHeight),
  isMaximized: z.boolean(),
})
export type WindowState = z.infer<typeof WindowState>

/** Where the window stood last; null where that is unknown, or is not on any display of today. */
export function readWindowState(file: DocumentFile, workAreas: readonly Rectangle[]): WindowState | null {
  const state = WindowState.safeParse(file.get('document')).data
  if (state === undefined) return null
  return workAreas.some((area) => isReachable(state, area)) ? state : null
}

/** The part of a window that is remembered. */
interface PlacedWindow {
  getNormalBounds(): Rectangle
  isMaximized(): boolean
}

export function writeWindowState(file: DocumentFile, window: PlacedWindow): void {
  const { x, y, width, height } = window.getNormalBounds()
  file.set('document', { x, y, width, height, isMaximized: window.isMaximized() } satisfies WindowState)
}

export function windowOptions(state: WindowState | null, preload: string): BrowserWindowConstructorOptions {
  const place = state === null ? usualSize : { x: state.x, y: state.y, width: state.width, height: state.height }
  return {
    ...place,
    minWidth,
    minHeight,
    title: 'Signalbox',
    // Shown when the page has drawn itself: no white flash.
    show: false,
    autoHideMenuBar: true,
    webPreferences: { ...webPreferences, preload },
  }
}

function isReachable(window: Rectangle, area: Rectangle): boolean {
  const width = Math.min(window.x + window.width, area.x + area.width) - Math.max(window.x, area.x)
  const isTopInside = window.y >= area.y && window.y < area.y + area.height - minVisible
  return width >= minVisible && isTopInside
}
