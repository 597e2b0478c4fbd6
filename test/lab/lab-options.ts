import { existsSync } from 'node:fs'
import type { LabAccount } from './lab-host.ts'
import { reserveStateDir, stateDirOf } from './lab-state.ts'
import { isFree, type Layout, layoutCount, layoutOf, maxRealServers, takenPrefixes } from './layout.ts'
import { type ProcessIdentity, processIdentity } from './process-identity.ts'
import type { SshServerOptions } from './ssh-server.ts'
import { sweep } from './sweep.ts'

export interface LabOptions {
  /** 1 to 50, default 3: hosts `rs1` … `rsN`. */
  readonly realServers?: number
  readonly director?: {
    readonly ssh?: SshServerOptions
    /**
     * The director has no management address, and the machine no way into the data network: the director's sshd is
     * reached through the client host or a real server. Default false.
     */
    readonly jump?: boolean
    /** Accounts beside root. */
    readonly accounts?: readonly LabAccount[]
  }
  /** Start the HTTP servers of the real servers. Default true. */
  readonly httpServers?: boolean
}

/** Checks the options and takes a number whose subnets are free on this machine. */
export const reserve = async (options: LabOptions): Promise<{ layout: Layout; owner: ProcessIdentity }> => {
  const count = options.realServers ?? 3
  if (!Number.isInteger(count) || count < 1 || count > maxRealServers) {
    throw new Error(`realServers: found ${count}, expected a whole number from 1 to ${maxRealServers}`)
  }
  if (process.getuid?.() !== 0) throw new Error('The lab needs root: it makes network and mount namespaces.')
  if (options.director?.accounts?.some((account) => account.sudo === true) === true && !existsSync('/usr/bin/sudo')) {
    throw new Error('director.accounts: an account with sudo needs the Debian package sudo on this machine.')
  }
  const owner = processIdentity(process.pid)
  if (owner === undefined) throw new Error('/proc is not mounted')
  await sweep()
  const taken = await takenPrefixes()
  const first = process.pid % layoutCount
  for (let i = 0; i < layoutCount; i++) {
    const layout = layoutOf((first + i) % layoutCount, count, { jump: options.director?.jump === true })
    if (isFree(layout, taken) && reserveStateDir(stateDirOf(layout.number))) return { layout, owner }
  }
  throw new Error('No free subnet for a lab: all of 198.18.0.0/15 or 10.76.0.0/15 is in use on this machine.')
}
