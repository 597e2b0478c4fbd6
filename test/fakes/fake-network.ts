import { AppError } from '../../core/contract/errors.ts'
import type { SshTarget } from '../../core/model/ssh.ts'
import type { SshConnection, SshDialog, SshPort } from '../../main/console/ports.ts'

/** Several hosts behind one SSH port, told apart by the target's host. */
export class FakeNetwork implements SshPort {
  readonly #hosts: ReadonlyMap<string, SshPort>

  constructor(hosts: ReadonlyMap<string, SshPort>) {
    this.#hosts = hosts
  }

  async configuredHosts() {
    return []
  }

  async connect(target: SshTarget, dialog: SshDialog, signal: AbortSignal): Promise<SshConnection> {
    const host = this.#hosts.get(target.host)
    if (host === undefined) throw new AppError('SSH_UNREACHABLE', `There is no host ${target.host}.`)
    return host.connect(target, dialog, signal)
  }
}
