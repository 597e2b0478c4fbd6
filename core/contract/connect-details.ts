/**
 * What a step of a connection can say (`ConnectStep.detail`), with the parameters of each sentence. The renderer has
 * `connect.<step>.<detail>` for each in every locale; the English words here serve the log and programs without one.
 */
export const connectDetails = {
  resolve: {
    resolving: 'looking up {host}',
    resolved: '{host} is {address}',
    address: '{address}, no name to look up',
    aliasResolved: '{alias} is {host} in ~/.ssh/config, address {address}',
    byJump: '{jump} looks up {host}',
    byDirector: 'the director looks up {host}',
  },
  tcp: {
    connecting: 'connecting to {address} port {port}',
    connected: 'connected to {address} port {port} in {ms} ms',
    jumpConnecting: 'connecting to the jump host {jump}',
    jumpHostKey: 'verifying the key of the jump host {jump}',
    jumpAuth: 'logging in to the jump host {jump} as {user}',
    jumpConnected: 'connected to {host} port {port} through {jump}',
    directorConnected: 'connected to {host} port {port} through the director',
  },
  hostKey: {
    exchanging: 'exchanging keys',
    asking: 'the key of {host} is not known: {fingerprint}',
    known: 'known: {keyType} {fingerprint}',
    pinned: 'accepted and pinned: {keyType} {fingerprint}',
    certAuthority: 'known_hosts names a certificate authority for {host}; host certificates are not supported',
  },
  auth: {
    trying: 'logging in as {user}',
    none: 'logged in as {user} without a credential',
    agent: 'logged in as {user} with a key of the SSH agent',
    keyFile: 'logged in as {user} with {keyFile}',
    keyboard: 'logged in as {user} by keyboard-interactive',
    password: 'logged in as {user} with a password',
  },
  facts: {
    reading: 'reading what the host is',
    read: '{system}, kernel {kernel}, {libc}',
  },
  agent: {
    looking: 'looking for the agent',
    current: 'version {version} runs',
    stopped: 'version {version} is installed and does not run',
    missing: 'not installed',
    old: 'version {installed} is older than {version}',
    newer: 'version {installed} is newer than {version}',
  },
  install: {
    notNeeded: 'nothing to install',
    asking: 'waits for the answer',
    checking: 'checking that the agent fits this host',
    uploading: '{sent} of {total} MB',
    verifying: 'comparing the digest',
    unpacking: 'unpacking to {path}',
    settingUp: 'creating groups and the service',
    starting: 'starting the agent',
    waiting: 'waiting for the agent to answer',
    installed: 'version {version} in {path}',
    unfit: 'the agent does not fit this host',
    refused: 'not installed, as asked',
  },
  handshake: {
    connecting: 'talking to the agent',
    streamLocal: 'version {version} through SSH to the socket, round trip {ms} ms',
    /** Not used for a reason that is about sshd. */
    streamLocalForbidden:
      'sshd forbids stream-local forwarding: version {version} through `signalbox connect`, round trip {ms} ms',
    /** Not used because the login is not in the group. */
    socketForbidden: '{user} may not open the socket: version {version} through sudo, round trip {ms} ms',
  },
} as const satisfies Record<string, Record<string, string>>

export type ConnectDetails = typeof connectDetails
/** Details of one step. */
export type DetailOf<Id extends keyof ConnectDetails> = keyof ConnectDetails[Id] & string

/** What the removal of the agent goes through; the session's `install` step shows it while the phase is `removing`. */
export const removeDetails = {
  retiring: 'taking the dataplane and the VIPs down',
  retiringKeep: 'leaving the dataplane and the VIPs to work without an agent',
  tearingDown: 'stopping the service',
  deleting: 'removing {path}',
} as const
export type RemoveDetail = keyof typeof removeDetails

/**
 * Why the agent cannot be installed. An error HOST_UNFIT has one entry `unfit.<key>` in its `details` for each failed
 * check, its value the parameters as JSON; the renderer has `unfit.<key>` in every locale.
 */
export const unfitReasons = {
  system: 'The host runs {found}; the agent needs Linux.',
  architecture: 'There is no agent build for {found}; x86_64 is supported.',
  musl: 'The host uses musl libc; the agent needs glibc {needed} or later.',
  glibc: 'The host has glibc {found}; the agent needs {needed} or later.',
  kernel: 'The host runs kernel {found}; the dataplane needs {needed} or later ({missing}).',
  btf: 'The kernel has no BTF: /sys/kernel/btf/vmlinux is missing (CONFIG_DEBUG_INFO_BTF).',
  bpffs: 'The BPF file system is not mounted on /sys/fs/bpf and the kernel does not offer it.',
  noexec: '{path} is on a file system mounted noexec ({mount}); programs cannot run there.',
  readonly: '{path} is on a file system mounted read-only ({mount}).',
  space: '{path} has {found} MB free; the agent needs {needed} MB.',
  root: '{user} is not root and `sudo -n` does not work: {found}',
  tools: 'The host lacks {found}, which the installation needs.',
} as const
export type UnfitReason = keyof typeof unfitReasons
