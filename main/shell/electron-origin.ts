/** The page's scheme and host in the desktop shell: no file of the disk has them, and no server. */
export const pageScheme = 'app'
export const pageUrl = 'app://console/'

/** True for a URL below {@link pageUrl}, written without user, password or port. */
export function isOurs(url: string): boolean {
  const { protocol, host, username, password } = URL.parse(url) ?? {}
  return protocol === 'app:' && host === 'console' && username === '' && password === ''
}

/** True for the page itself, at any place in it. */
export function isPage(url: string): boolean {
  return isOurs(url) && ['/', '/index.html'].includes(URL.parse(url)?.pathname ?? '')
}

/** What of a message's sender decides; Electron's WebFrameMain has it. */
export interface SenderFrame {
  readonly url: string
  readonly parent: unknown
}

/**
 * True where a message comes from the page in the main frame of its window. A frame that navigated away or was
 * destroyed since is null; an empty URL and about:blank are not the page, in tests neither.
 */
export function isOwnSender(frame: SenderFrame | null): boolean {
  return frame !== null && frame.parent === null && isPage(frame.url)
}
