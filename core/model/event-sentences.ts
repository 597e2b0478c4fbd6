import { fill } from './issue.ts'

/** What can happen on a director, in both languages; the part before the point is the event's kind. */
export const eventTemplates = {
  en: {
    'health.up': 'Real server {realServer} is up',
    'health.down': 'Real server {realServer} is down: {error}',
    'apply.done': 'Revision {revision} by {user} was applied',
    'apply.unconfirmed': 'Revision {revision} by {user} was applied and waits {seconds} s for its confirmation',
    'apply.failed': 'Revision {revision} by {user} failed at step {step} and was taken back: {error}',
    'apply.broken': 'Revision {revision} by {user} failed at step {step} and could not be taken back: {error}',
    'confirm.done': 'Revision {revision} was confirmed',
    'revert.operator': 'Revision {revision} was taken back by an operator',
    'revert.deadline': 'Revision {revision} was taken back: nobody confirmed it in time',
    'revert.agent-restarted': 'Revision {revision} was taken back: the agent died while it was being applied',
    'revert.incomplete': 'Revision {revision} could not be taken back completely: {error}',
    'drift.found': 'The kernel differs from revision {revision} in {steps} points',
    'drift.gone': 'The kernel is as revision {revision} wants it',
    'agent.started': 'The agent {version} started',
    'agent.restored': 'Revision {revision} was set up again after a boot of the director',
    'agent.retired': 'The dataplane was taken down',
    'agent.newFlowsStopped': 'New connections of eBPF services are stopped; known ones go on',
    'agent.newFlowsBalanced': 'New connections of eBPF services are balanced again',
    'role.active': 'The director is active: it carries the VIPs',
    'role.standby': 'The director is on standby: another one carries the VIPs',
    'neighbour.found': 'Real server {address} answers ARP with {mac}',
    'neighbour.lost': 'Real server {address} does not answer ARP',
  },
  'zh-CN': {
    'health.up': '真实服务器 {realServer} 恢复正常',
    'health.down': '真实服务器 {realServer} 不可用：{error}',
    'apply.done': '已应用 {user} 的版本 {revision}',
    'apply.unconfirmed': '已应用 {user} 的版本 {revision}，将等待确认 {seconds} 秒',
    'apply.failed': '{user} 的版本 {revision} 在第 {step} 步失败，已撤回：{error}',
    'apply.broken': '{user} 的版本 {revision} 在第 {step} 步失败，且无法撤回：{error}',
    'confirm.done': '版本 {revision} 已确认',
    'revert.operator': '操作员已撤回版本 {revision}',
    'revert.deadline': '版本 {revision} 未及时确认，已自动撤回',
    'revert.agent-restarted': 'agent 在应用版本 {revision} 时中断，该版本已撤回',
    'revert.incomplete': '版本 {revision} 未能完全撤回：{error}',
    'drift.found': '内核与版本 {revision} 有 {steps} 处不同',
    'drift.gone': '内核与版本 {revision} 一致',
    'agent.started': 'agent {version} 已启动',
    'agent.restored': 'director 重启后已重新设置版本 {revision}',
    'agent.retired': '数据面已撤下',
    'agent.newFlowsStopped': 'eBPF 服务的新连接已停止，已有连接继续',
    'agent.newFlowsBalanced': 'eBPF 服务的新连接已恢复分发',
    'role.active': '此 director 处于活动状态：由它承载 VIP',
    'role.standby': '此 director 处于备用状态：VIP 由其他 director 承载',
    'neighbour.found': '真实服务器 {address} 以 {mac} 应答 ARP',
    'neighbour.lost': '真实服务器 {address} 不应答 ARP',
  },
} as const satisfies Record<string, Record<string, string>>

export type EventKey = keyof (typeof eventTemplates)['en']

/** The event as a sentence without a full stop; an unknown key (a newer agent's) stands for itself. */
export function eventSentence(
  event: { readonly message: string; readonly params: Readonly<Record<string, string | number>> },
  language: keyof typeof eventTemplates = 'en',
): string {
  const templates: Record<string, string> = eventTemplates[language]
  const template = Object.hasOwn(templates, event.message) ? templates[event.message] : undefined
  return template === undefined ? event.message : fill(template, event.params)
}
