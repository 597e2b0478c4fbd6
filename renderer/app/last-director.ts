const key = 'signalbox-director'

/** Which director this window showed last; a matter of the window, not of the operator's preferences. */
export const lastDirector = {
  get: (): string | null => window.sessionStorage.getItem(key) ?? window.localStorage.getItem(key),
  set: (directorId: string): void => {
    window.sessionStorage.setItem(key, directorId)
    window.localStorage.setItem(key, directorId)
  },
}
