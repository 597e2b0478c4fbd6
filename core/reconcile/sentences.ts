import { addressBits, familyOf } from '../model/address.ts'
import { dataplaneNames, methodNames } from '../model/dataplane.ts'
import { fill } from '../model/issue.ts'
import type { RealServerConfig, Step } from '../model/plan.ts'
import { realServerKey } from '../model/service.ts'

/** One sentence for each kind of step, in both languages; used by the agent's command line and by the page. */
export const stepTemplates = {
  en: {
    'module.load': 'Load the kernel module {module}, also at each boot',
    'module.unload': 'Unload the kernel module {module}, and load it at boot no longer',
    'setting.set': 'Set {name} to {after} (it is {before}), also at each boot',
    'setting.back': 'Set {name} back to {after}, and keep it no longer',
    'nat.set': 'Give connections to {count} real servers a local address (FullNAT)',
    'nat.none': 'Remove the table of local addresses (FullNAT)',
    'sync.start': 'Start the sync daemon as {role} on {interface} with id {syncId}',
    'sync.stop': 'Stop the sync daemon that is {role} on {interface} with id {syncId}',
    'service.adopt': 'Take over {service} as it is: nothing changes in the kernel',
    'service.release': 'Leave {service} to whoever set it up: nothing changes in the kernel',
    'drain.wait': 'Wait up to {seconds} s for the connections of {count} real servers to end',
    'dataplane.attach': 'Attach the eBPF dataplane to {interface}',
    'dataplane.detach': 'Detach the eBPF dataplane from {interface}',
    'service.add': 'Add virtual service {service} on {interface}: {dataplane}, {forwarding}, {scheduler}',
    'service.add.fwmark': 'Add virtual service {service}: {dataplane}, {forwarding}, {scheduler}',
    'service.change': 'Change the settings of virtual service {service}',
    'service.remove': 'Remove virtual service {service}',
    'realServer.add': 'Add real server {realServer} to {service} with weight {weight}',
    'realServer.add.drain': 'Add real server {realServer} to {service} with weight {weight}, drained',
    'realServer.add.offline': 'Add real server {realServer} to {service} with weight {weight}, offline',
    'realServer.remove': 'Remove real server {realServer} from {service}',
    'realServer.settings': 'Change how real server {realServer} in {service} is reached: {forwarding}',
    'realServer.weight': 'Change the weight of real server {realServer} in {service} from {before} to {weight}',
    'realServer.drain': 'Drain real server {realServer} of {service}: established flows stay, no new ones',
    'realServer.offline': 'Take real server {realServer} of {service} offline',
    'realServer.enable': 'Enable real server {realServer} of {service} with weight {weight}',
    'vip.raise.arp': 'Raise VIP {address}/{bits} on {interface} and announce it',
    'vip.raise.route': 'Raise VIP {address}/{bits} on {interface}',
    'vip.lower': 'Lower VIP {address}/{bits} on {interface}',
  },
  'zh-CN': {
    'module.load': '加载内核模块 {module}，并在每次启动时加载',
    'module.unload': '卸载内核模块 {module}，启动时不再加载',
    'setting.set': '将 {name} 设为 {after}（现为 {before}），并在每次启动时设置',
    'setting.back': '将 {name} 恢复为 {after}，不再保持',
    'nat.set': '为通往 {count} 台真实服务器的连接改用本地地址（FullNAT）',
    'nat.none': '删除本地地址表（FullNAT）',
    'sync.start': '在 {interface} 上以 {role} 角色启动 sync daemon，id 为 {syncId}',
    'sync.stop': '停止 {interface} 上 {role} 角色、id 为 {syncId} 的 sync daemon',
    'service.adopt': '原样接管 {service}：内核中没有任何变化',
    'service.release': '将 {service} 交还给原设置者：内核中没有任何变化',
    'drain.wait': '最多等待 {seconds} 秒，直到 {count} 台真实服务器的连接结束',
    'dataplane.attach': '将 eBPF 数据面挂接到 {interface}',
    'dataplane.detach': '将 eBPF 数据面从 {interface} 卸下',
    'service.add': '在 {interface} 上添加虚拟服务 {service}：{dataplane}，{forwarding}，{scheduler}',
    'service.add.fwmark': '添加虚拟服务 {service}：{dataplane}，{forwarding}，{scheduler}',
    'service.change': '修改虚拟服务 {service} 的设置',
    'service.remove': '删除虚拟服务 {service}',
    'realServer.add': '向 {service} 添加真实服务器 {realServer}，权重 {weight}',
    'realServer.add.drain': '向 {service} 添加真实服务器 {realServer}，权重 {weight}，处于排空状态',
    'realServer.add.offline': '向 {service} 添加真实服务器 {realServer}，权重 {weight}，处于离线状态',
    'realServer.remove': '从 {service} 删除真实服务器 {realServer}',
    'realServer.settings': '修改 {service} 的真实服务器 {realServer} 的到达方式：{forwarding}',
    'realServer.weight': '将 {service} 的真实服务器 {realServer} 的权重从 {before} 改为 {weight}',
    'realServer.drain': '排空 {service} 的真实服务器 {realServer}：保留已建立的流，不再接受新流',
    'realServer.offline': '使 {service} 的真实服务器 {realServer} 离线',
    'realServer.enable': '启用 {service} 的真实服务器 {realServer}，权重 {weight}',
    'vip.raise.arp': '在 {interface} 上启用 VIP {address}/{bits} 并通告',
    'vip.raise.route': '在 {interface} 上启用 VIP {address}/{bits}',
    'vip.lower': '在 {interface} 上停用 VIP {address}/{bits}',
  },
} as const satisfies Record<string, Record<string, string>>

export type StepLanguage = keyof typeof stepTemplates
export type StepSentenceKey = keyof (typeof stepTemplates)['en']

/** Which sentence says a step, and what stands in its places. */
export interface StepSentence {
  readonly key: StepSentenceKey
  readonly params: Readonly<Record<string, string | number>>
}

export function stepSentence(step: Step): StepSentence {
  switch (step.kind) {
    case 'module.load':
    case 'module.unload':
      return { key: step.kind, params: { module: step.module } }
    case 'setting.set': {
      const { name, before, after, isOurs } = step
      return { key: isOurs ? 'setting.set' : 'setting.back', params: { name, before, after } }
    }
    case 'nat.set':
      return { key: step.after.length === 0 ? 'nat.none' : 'nat.set', params: { count: step.after.length } }
    case 'sync.start':
    case 'sync.stop': {
      const { role, interface: name, syncId } = step.daemon
      return { key: step.kind, params: { role, interface: name, syncId } }
    }
    case 'service.adopt':
    case 'service.release':
      return { key: step.kind, params: { service: step.service } }
    case 'drain.wait':
      return { key: step.kind, params: { seconds: step.seconds, count: step.realServers.length } }
    case 'dataplane.attach':
    case 'dataplane.detach':
      return { key: step.kind, params: { interface: step.interface } }
    case 'service.add': {
      const { interface: ingress, dataplane, forwarding, scheduler, fwmark } = step.after
      return {
        key: fwmark === null ? 'service.add' : 'service.add.fwmark',
        params: {
          service: step.service,
          interface: ingress,
          dataplane: dataplaneNames[dataplane],
          forwarding: methodNames[forwarding],
          scheduler,
        },
      }
    }
    case 'service.change':
    case 'service.remove':
      return { key: step.kind, params: { service: step.service } }
    case 'realServer.add': {
      const { state } = step.after
      const key = state === 'enabled' ? 'realServer.add' : (`realServer.add.${state}` as const)
      return { key, params: realServerParams(step.service, step.after) }
    }
    case 'realServer.change': {
      const params = { ...realServerParams(step.service, step.after), before: step.before.weight }
      return { key: changeKey(step.before, step.after), params }
    }
    case 'realServer.remove':
      return { key: step.kind, params: realServerParams(step.service, step.before) }
    case 'vip.raise': {
      const { address, interface: name } = step
      return {
        key: step.announce === 'arp' ? 'vip.raise.arp' : 'vip.raise.route',
        params: { address, interface: name, bits: addressBits[familyOf(address)] },
      }
    }
    case 'vip.lower': {
      const { address, interface: name } = step
      return { key: step.kind, params: { address, interface: name, bits: addressBits[familyOf(address)] } }
    }
  }
}

const realServerParams = (service: string, realServer: RealServerConfig) => ({
  service,
  realServer: realServerKey(realServer),
  weight: realServer.weight,
  forwarding: methodNames[realServer.forwarding],
})

function changeKey(before: RealServerConfig, after: RealServerConfig): StepSentenceKey {
  if (before.state === after.state) {
    return before.weight === after.weight ? 'realServer.settings' : 'realServer.weight'
  }
  if (after.state === 'drain') return 'realServer.drain'
  return after.state === 'offline' ? 'realServer.offline' : 'realServer.enable'
}

/** The step as a sentence without a full stop. */
export function sentence(step: Step, language: StepLanguage = 'en'): string {
  const { key, params } = stepSentence(step)
  return fill(stepTemplates[language][key], params)
}
