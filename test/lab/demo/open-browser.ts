import { spawn } from 'node:child_process'

/** Opens the operator's browser where there is a display; elsewhere the printed link has to do. */
export function openBrowser(url: string): void {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env
  if (DISPLAY === undefined && WAYLAND_DISPLAY === undefined) return
  const child = spawn('xdg-open', [url], { stdio: 'ignore', detached: true })
  // No xdg-open: the link stands in the terminal.
  child.on('error', () => {})
  child.unref()
}
