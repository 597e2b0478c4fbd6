import { readFileSync } from 'node:fs'

/** Number of a group in /etc/group, null where there is none. */
export function groupId(name: string, file = '/etc/group'): number | null {
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [group, , id] = line.split(':')
    if (group === name && id !== undefined && /^\d+$/.test(id)) return Number(id)
  }
  return null
}
