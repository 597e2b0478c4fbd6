import type { CombinedSysctl } from './effective.ts'

/** What a host is asked beyond its own state. Left out: nothing but what every host is asked. */
export interface ProbeQuestion {
  /** Random, unlike anything that a login script may print: the answer stands between two lines that carry it. */
  readonly nonce: string
  readonly isDirector: boolean
  readonly vip?: string
  readonly port?: number
  /** Addresses to ask the routing table for. */
  readonly routesTo: readonly string[]
}

/** Positional parameters of {@link probeScript}; nothing is ever put into its text. */
export function probeArguments({ nonce, isDirector, vip, port, routesTo }: ProbeQuestion): string[] {
  return [nonce, isDirector ? 'director' : 'realServer', vip ?? '', port === undefined ? '' : String(port), ...routesTo]
}

/** Settings read of each interface: those that a rule or an undo needs. */
const confNames = [
  'arp_ignore',
  'arp_announce',
  'rp_filter',
  'accept_local',
  'promote_secondaries',
  'forwarding',
] as const satisfies readonly CombinedSysctl[]

const systemKeys = ['net/ipv4/ip_forward', 'net/ipv6/bindv6only', 'net/core/bpf_jit_enable'] as const

/**
 * Reads a host and prints facts, one a line, each with its tag. POSIX sh, also dash and busybox; it writes nothing and
 * needs no privilege. A tool that is not there leaves its facts out. All of it is one function, so that a script that
 * was cut on its way does nothing at all.
 */
export const probeScript = `# Signalbox: reads this host's network facts. Writes nothing.
probe() {
  nonce=$1 role=$2 vip=$3 port=$4
  shift 4
  PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin LC_ALL=C
  export PATH LC_ALL
  printf 'signalbox-probe 1 %s\\n' "$nonce"
  has() { command -v "$1" >/dev/null 2>&1; }
  # A busybox that runs its applets by itself names them without a folder; a unit file needs one.
  tell_path() (
    found=$(command -v "$1") || exit 0
    case $found in
      /*) printf 'extra %s %s\\n' "$2" "$found"; exit 0 ;;
    esac
    IFS=:
    for dir in $PATH; do
      if [ -x "$dir/$1" ]; then printf 'extra %s %s\\n' "$2" "$dir/$1"; exit 0; fi
    done
  )
  # tagged TAG COMMAND: its lines behind the tag; "done TAG" only where the command succeeded.
  tagged() {
    tag=$1
    shift
    if out=$("$@" 2>/dev/null); then
      [ -z "$out" ] || printf '%s\\n' "$out" | sed "s/^/$tag /"
      printf 'done %s\\n' "$tag"
    fi
  }

  printf 'hostname %s\\nkernel %s\\nmachine %s\\nuid %s\\n' "$(uname -n)" "$(uname -r)" "$(uname -m)" "$(id -u)"
  ssh_server=\${SSH_CONNECTION:-}
  if [ -n "$ssh_server" ]; then
    ssh_server=\${ssh_server% *}
    printf 'extra sshServerAddress %s\\n' "\${ssh_server##* }"
  fi

  tagged link ip -o link show
  tagged addr ip -o addr show
  tell_path ip ipPath
  tell_path sysctl sysctlPath
  if [ -d /etc/sysctl.d ]; then echo 'extra sysctlDir yes'; else echo 'extra sysctlDir no'; fi
  if [ -d /run/systemd/system ]; then echo 'extra systemd yes'; else echo 'extra systemd no'; fi

  # grep, not read: the shell reads byte by byte, and these files give nothing after the first byte.
  for key in ${systemKeys.join(' ')}; do
    grep -s '' /dev/null "/proc/sys/$key" | sed 's,^/proc/sys/,sysctl ,'
  done
  for name in ${confNames.join(' ')}; do
    grep -s '' /dev/null /proc/sys/net/ipv4/conf/*/"$name" | sed 's,^/proc/sys/,sysctl ,'
  done

  # Only sockets that listen (state 0A, no peer), and only of the port where one was asked for.
  if [ -n "$port" ]; then hex=$(printf '%04X' "$port"); else hex='[0-9A-F]*'; fi
  for table in tcp tcp6; do
    if [ -r "/proc/net/$table" ]; then
      grep "^ *[0-9]*: [0-9A-F]*:$hex [0-9A-F]*:0000 0A " "/proc/net/$table" | sed "s/^/$table /"
      printf 'done %s\\n' "$table"
    fi
  done
  # Tells [::] that takes IPv6 only from [::] that takes both, which /proc does not.
  if has ss; then tagged ss ss -H -l -t -n; fi

  tagged neighbour ip -o -4 neigh show
  tagged default ip -o -4 route show default
  if has ip; then
    for address; do printf 'asked %s\\n' "$address"; done
    if [ "$#" -gt 16 ] && ip -V >/dev/null 2>&1; then
      # One process for all; it says nothing of those that no route leads to.
      printf 'route get %s\\n' "$@" | ip -o -4 -force -batch - 2>/dev/null | sed 's/^/route /'
    else
      for address; do ip -o -4 route get "$address" 2>/dev/null | sed 's/^/route /'; done
    fi
    echo 'done route'
  fi

  if [ -n "$vip" ]; then
    for file in "/etc/sysctl.d/60-signalbox-$vip-"*.conf "/etc/systemd/system/signalbox-vip-$vip.service"; do
      if [ -f "$file" ] && [ -r "$file" ]; then
        printf 'file %s\\n' "$file"
        sed 's/^/line /' "$file"
      fi
    done
  fi

  if [ "$role" = director ]; then
    if [ -r /sys/kernel/btf/vmlinux ]; then echo 'extra btf yes'; else echo 'extra btf no'; fi
    if grep -q ' /sys/fs/bpf bpf ' /proc/mounts; then echo 'extra bpffs yes'; else echo 'extra bpffs no'; fi
    for config in /proc/config.gz "/boot/config-$(uname -r)"; do
      if [ -r "$config" ] && gzip -dcf "$config" 2>/dev/null | grep -q '^CONFIG_BPF_JIT_ALWAYS_ON=y'; then
        echo 'extra bpfJit always'
        break
      fi
    done
    # Details name the program; busybox has no -d, and then XDP is not known.
    if details=$(ip -o -d link show 2>/dev/null); then
      echo 'done xdp'
      printf '%s\\n' "$details" | grep -F 'prog/xdp' | sed 's/^/xdp /'
    fi
    if has tc; then
      echo 'done tc'
      for dir in /proc/sys/net/ipv4/conf/*; do
        case $dir in */all | */default | */lo) continue ;; esac
        tc filter show dev "\${dir##*/}" ingress 2>/dev/null | grep 'bpf\\|handle' |
          while read -r line; do printf 'tc %s %s\\n' "\${dir##*/}" "$line"; done
      done
    fi
  fi
  printf 'signalbox-probe end %s\\n' "$nonce"
}
probe "$@" </dev/null
`
