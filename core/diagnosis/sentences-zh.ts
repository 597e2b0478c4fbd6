import type { CommonSentences, RuleSentences } from './sentences.ts'
import type { RuleId } from './rule.ts'

export const commonZh: CommonSentences = {
  ok: '符合要求。',
  unknown: '未知：无法读取 {fact}。',
  notChecked: '未检查：没有到这台主机的 SSH 访问。',
  otherFamily: '未检查：此版本只对 {judged} 做此项判断。',
  otherProtocol: '未检查：此版本只对 {judged} 做此项判断。',
  survivesReboot: '重启后仍然有效。',
  endsWithReboot: '重启后失效：这台主机上没有机制会恢复它。',
}

export const rulesZh: Readonly<Record<RuleId, RuleSentences>> = {
  V1: {
    title: 'VIP 在 director 上空闲',
    why: 'VIP 由 agent 添加。如果 director 已把该地址用于其他用途，那个用途会受影响；如果它是 SSH 连入的地址，所有人都会被锁在外面。',
    causes: {
      managementAddress: 'SSH 经由 {vip} 连入：把它用作 VIP 会切断这个连接。',
      ownAddress: 'director 已有 {vip}，且不是为这个服务添加的。',
      ownAddressAllowed: 'director 已有 {vip}；服务设置为仍然使用它。',
    },
  },
  V2: {
    title: 'VIP 在直连网络中',
    why: '客户端和路由器通过 ARP 找到 VIP，而 ARP 只能到达接口直连的网络。',
    causes: {
      noNetwork: 'director 没有任何接口的网络包含 {vip}。',
      networkAddress: '{vip} 是 {interface} 的网络地址：任何主机都不能使用。',
      broadcastAddress: '{vip} 是 {interface} 的广播地址：任何主机都不能使用。',
    },
  },
  D04: {
    title: 'director 拥有 VIP',
    why: '没有这个地址就没有人应答它的 ARP，路由器也无处转发；IPVS 只接收发往 director 自身地址的数据包，eBPF 数据面则没有该地址也会接收。',
    causes: {
      absent: 'director 上已经没有 {vip}。',
      elsewhere: '{vip} 不在 {place} 上。',
    },
  },
  DR1: {
    title: 'real server 直连可达',
    why: 'DR 只改写 MAC。途中的路由器会看到目的地址是 VIP，并把数据包送回来。',
    causes: {
      gateway: 'director 与 {servers} 之间有网关。这种情况适合用 Tunnel。',
      local: '{servers} 是 director 自己的地址。',
      unreachable: 'director 没有到 {servers} 的路由。',
    },
  },
  DR2: {
    title: '端口一致',
    why: 'DR 不修改数据包，端口也不变。',
    causes: { otherPort: '并非所有 real server 都使用端口 {port}。NAT 可以转换端口。' },
  },
  DR7: {
    title: '没有其他主机应答 VIP',
    why: '谁应答 VIP 的 ARP，流量就绕过 director 到谁那里：要么一台 real server 独占流量，要么客户端不时改变去向。',
    causes: {
      realServer: '{servers} 应答了 {vip} 的 ARP。请在那里设置 arp_ignore。',
      director: 'director 也通过 {interface} 应答，而数据面不在那里监听。',
      stranger: '另一台主机（{macs}）应答了 {vip}：该地址已被占用。',
    },
  },
  'D16-btf': {
    title: '内核提供类型信息（BTF）',
    why: '数据面据此与正在运行的内核核对。',
    causes: { missing: '内核编译时没有 BTF；发行版自带的内核有。' },
  },
  'D16-bpffs': {
    title: '已挂载 bpffs',
    why: '数据面固定（pin）在那里，agent 不在时流量照常转发。',
    causes: { missing: '/sys/fs/bpf 上没有挂载：mount -t bpf bpf /sys/fs/bpf' },
  },
  'D16-jit': {
    title: 'BPF 即时编译（JIT）',
    why: '没有它，每个数据包都要解释执行，慢很多倍。',
    causes: { off: 'JIT 已关闭。' },
    fix: '打开 JIT。',
  },
  'D16-programs': {
    title: '没有其他 BPF 程序',
    why: '同一接口上他人的程序可能先于我们取走数据包，或者看不到我们取走的数据包。',
    causes: { other: '{interface} 上挂有另一个程序；它不会被改动。' },
  },
  RS1: {
    title: '确实是这台 real server',
    why: '转发的端口或过期的名称可能通向另一台机器，它的状态说明不了任何问题。',
    causes: { otherHost: 'SSH 连到了 {hostname}，它没有地址 {host}。' },
  },
  DR4: {
    title: 'lo 上的 VIP',
    why: '在 DR 中，数据包的目的地址仍是 VIP。只有当它是 real server 自己的地址、在没有 ARP 的设备上并且是 /32 时，数据包才会被接收。',
    causes: {
      missing: 'real server 上没有 {vip}：数据包会被丢弃。',
      wrongPrefix: '{vip} 的前缀过宽：整个 {network} 都被当作本机地址，那里的邻居无法到达。',
      otherInterface: '{vip} 在 {interface} 上，无论 arp_ignore 如何设置，那里都会应答它的 ARP。',
      managementAddress: 'SSH 经由 {vip} 连入：不能移动这个地址。',
    },
    fix: '把 {vip}/32 加到 lo。',
  },
  DR5: {
    title: 'arp_ignore',
    why: 'real server 不得应答 VIP 的 ARP，否则会抢走 director 的流量。取 all 与接口两者中较大的值；lo 上的值从不起作用。',
    causes: {
      missing: '{interfaces} 上收到的对 {vip} 的 ARP 请求会被应答。',
      onlyOnLo: '{interfaces} 上收到的对 {vip} 的 ARP 请求会被应答：lo 上的设置不起作用。',
    },
    fix: '只应答属于收到请求的接口的地址。',
  },
  DR6: {
    title: 'arp_announce',
    why: 'real server 自己的 ARP 请求不得以 VIP 为发送方：否则邻居会把 VIP 记到它的 MAC 上。VIP 在同一子网时，1 不够。',
    causes: {
      missing: '从 {interfaces} 发出的 ARP 请求可能以 {vip} 为发送方。',
      onlyOnLo: '从 {interfaces} 发出的 ARP 请求可能以 {vip} 为发送方：lo 上的设置不起作用。',
    },
    fix: 'ARP 请求以接口自己的地址为发送方。',
  },
  DR8: {
    title: '服务在 VIP 上监听',
    why: '数据包到达 real server 时目的地址是 VIP，只绑定到 real server 自身地址的套接字收不到。',
    causes: {
      nobody: '没有程序监听端口 {port}。',
      otherAddress: '端口 {port} 只绑定在其他地址上。请让服务监听 {vip} 或所有地址。',
      ipv6Only: '端口 {port} 只接收 IPv6。',
    },
  },
  DR9: {
    title: '应答不经过 director',
    why: '应答的源地址是 VIP。director 拥有该地址，会把这样的数据包当作 martian 丢弃。',
    causes: {
      throughDirector:
        '默认网关 {gateway} 就是 director。请改用路由器，或在 director 上设置 accept_local=1、rp_filter 0 或 2 以及 ip_forward=1。',
    },
  },
  DR10: {
    title: '反向路径过滤',
    why: 'rp_filter 为 1 时，如果应答会从另一个接口发出，内核就丢弃该数据包。取 all 与接口两者中较大的值。',
    causes: { strict: '数据包从 {interface} 到达，应答从 {other} 发出：会被丢弃。' },
    fix: '把 {interface} 上的过滤设为宽松。',
  },
}
