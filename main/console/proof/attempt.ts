/** One request as whoever sent it saw it; who answered is looked up afterwards. */
export interface Attempt {
  readonly isOk: boolean
  readonly durationMs: number | null
  readonly httpStatus: number | null
  readonly error: string | null
  /** The socket's own end: what the dataplane's flow record is found by. */
  readonly clientAddress: string | null
  readonly clientPort: number | null
}

/** `unknown` until the first answer shows whether the service speaks HTTP. */
export type ServiceKind = 'unknown' | 'http' | 'tcp'

/** Each step of a request (connecting, answer) may take this long. */
export const requestTimeoutMs = 2000
