import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { cookieValues } from './loopback-guards.ts'

/** Who may talk to one run of the browser shell: one-time tokens in links, exchanged for this run's cookie. */
export interface LaunchLinks {
  /** In the cookie's name, so that two consoles on localhost do not take each other's (cookies know no ports). */
  readonly instanceId: string
  readonly cookieName: string
  /** A token that is good for one use. The oldest unused one is dropped when there are more than 16. */
  newToken(): string
  /** True once for each token. */
  redeem(token: string): boolean
  /** Value of `set-cookie` for whoever redeemed a token. */
  setCookie(): string
  hasSession(cookieHeader: string | undefined): boolean
}

const maxUnused = 16

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

export function createLaunchLinks(): LaunchLinks {
  const instanceId = randomBytes(6).toString('hex')
  const cookieName = `signalbox-${instanceId}`
  const session = randomBytes(32).toString('base64url')
  const sessionDigest = digest(session)
  let unused: Buffer[] = []

  return {
    instanceId,
    cookieName,
    newToken() {
      const token = randomBytes(32).toString('base64url')
      unused = [...unused, digest(token)].slice(-maxUnused)
      return token
    },
    redeem(token) {
      const wanted = digest(token)
      const left = unused.filter((known) => !timingSafeEqual(known, wanted))
      const isKnown = left.length < unused.length
      unused = left
      return isKnown
    },
    setCookie: () => `${cookieName}=${session}; HttpOnly; SameSite=Strict; Path=/`,
    hasSession: (header) =>
      cookieValues(header, cookieName).some((value) => timingSafeEqual(digest(value), sessionDigest)),
  }
}
