import { fill } from '../model/issue.ts'
import type { RealServerConfig, Step } from '../model/plan.ts'
import { realServerKey } from '../model/service.ts'

/** One sentence for each kind of step, in both languages; used by the agent's command line and by the page. */
export const stepTemplates = {
  en: {
    'dataplane.attach': 'Attach the eBPF dataplane to {interface}',
    'dataplane.detach': 'Detach the eBPF dataplane from {interface}',
    'service.add': 'Add virtual service {service} on {interface}: {forwarding}, {scheduler}',
    'service.change': 'Change the settings of virtual service {service}',
    'service.remove': 'Remove virtual service {service}',
    'realServer.add': 'Add real server {realServer} to {service} with weight {weight}',
    'realServer.add.drain': 'Add real server {realServer} to {service} with weight {weight}, drained',
    'realServer.add.offline': 'Add real server {realServer} to {service} with weight {weight}, offline',
    'realServer.remove': 'Remove real server {realServer} from {service}',
    'realServer.weight': 'Change the weight of real server {realServer} in {service} from {before} to {weight}',
    'realServer.drain': 'Drain real server {realServer} of {service}: established flows stay, no new ones',
    'realServer.offline': 'Take real server {realServer} of {service} offline',
    'realServer.enable': 'Enable real server {realServer} of {service} with weight {weight}',
    'vip.raise.arp': 'Raise VIP {address}/32 on {interface} and announce it by ARP',
    'vip.raise.route': 'Raise VIP {address}/32 on {interface}',
    'vip.lower': 'Lower VIP {address}/32 on {interface}',
  },
  'zh-CN': {
    'dataplane.attach': '将 eBPF 数据面挂接到 {interface}',
    'dataplane.detach': '将 eBPF 数据面从 {interface} 卸下',
    'service.add': '在 {interface} 上添加虚拟服务 {service}：{forwarding}，{scheduler}',
    'service.change': '修改虚拟服务 {service} 的设置',
    'service.remove': '删除虚拟服务 {service}',
    'realServer.add': '向 {service} 添加真实服务器 {realServer}，权重 {weight}',
    'realServer.add.drain': '向 {service} 添加真实服务器 {realServer}，权重 {weight}，处于排空状态',
    'realServer.add.offline': '向 {service} 添加真实服务器 {realServer}，权重 {weight}，处于离线状态',
    'realServer.remove': '从 {service} 删除真实服务器 {realServer}',
    'realServer.weight': '将 {service} 的真实服务器 {realServer} 的权重从 {before} 改为 {weight}',
    'realServer.drain': '排空 {service} 的真实服务器 {realServer}：保留已建立的流，不再接受新流',
    'realServer.offline': '使 {service} 的真实服务器 {realServer} 离线',
    'realServer.enable': '启用 {service} 的真实服务器 {realServer}，权重 {weight}',
    'vip.raise.arp': '在 {interface} 上启用 VIP {address}/32 并通过 ARP 通告',
    'vip.raise.route': '在 {interface} 上启用 VIP {address}/32',
    'vip.lower': '在 {interface} 上停用 VIP {address}/32',
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
    case 'dataplane.attach':
    case 'dataplane.detach':
      return { key: step.kind, params: { interface: step.interface } }
    case 'service.add': {
      const { interface: ingress, forwarding, scheduler } = step.after
      const params = { service: step.service, interface: ingress, forwarding: forwarding.toUpperCase(), scheduler }
      return { key: step.kind, params }
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
        params: { address, interface: name },
      }
    }
    case 'vip.lower':
      return { key: step.kind, params: { address: step.address, interface: step.interface } }
  }
}

const realServerParams = (service: string, realServer: RealServerConfig) => ({
  service,
  realServer: realServerKey(realServer),
  weight: realServer.weight,
})

function changeKey(before: RealServerConfig, after: RealServerConfig): StepSentenceKey {
  if (before.state === after.state) return 'realServer.weight'
  if (after.state === 'drain') return 'realServer.drain'
  return after.state === 'offline' ? 'realServer.offline' : 'realServer.enable'
}

/** The step as a sentence without a full stop. */
export function sentence(step: Step, language: StepLanguage = 'en'): string {
  const { key, params } = stepSentence(step)
  return fill(stepTemplates[language][key], params)
}
