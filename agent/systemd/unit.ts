/** What a unit file says about one host. */
export interface UnitOptions {
  /** Absolute path of the installed program and its first words. */
  readonly command: readonly string[]
}

/**
 * The systemd unit of the agent. Hardened as far as it goes without a mount namespace of its own: pins in /sys/fs/bpf must
 * be the host's, also where the agent has to look at a bpffs that was mounted after it started. V8 compiles at run time, so
 * no MemoryDenyWriteExecute; sysctls of interfaces are read, so no ProtectKernelTunables.
 */
export function unitText({ command }: UnitOptions): string {
  return `[Unit]
Description=Signalbox agent: load-balancing director
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=${[...command, 'agent'].map(quoteForUnit).join(' ')}
Restart=always
RestartSec=1
# Traffic goes on without the agent: the dataplane is pinned, and nothing here may take it down.
KillMode=mixed
TimeoutStopSec=20
RuntimeDirectory=signalbox
RuntimeDirectoryMode=0755
StateDirectory=signalbox
StateDirectoryMode=0700
UMask=0077
CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW CAP_BPF CAP_PERFMON CAP_CHOWN
NoNewPrivileges=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service bpf perf_event_open
SystemCallErrorNumber=EPERM
LimitMEMLOCK=infinity
TasksMax=64
OOMScoreAdjust=-500

[Install]
WantedBy=multi-user.target
`
}

/** One word of ExecStart: systemd.service(5), "Command lines". */
export function quoteForUnit(word: string): string {
  const escaped = word.replaceAll('%', '%%').replaceAll('$', '$$$$')
  return /^[A-Za-z0-9_@%+=:,./$-]+$/.test(escaped)
    ? escaped
    : `"${escaped.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
