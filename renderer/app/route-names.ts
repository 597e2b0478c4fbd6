/** Views of a director in the order of the navigation, with the letter that follows `g`. */
export const routes = [
  { id: 'overview', key: 'o' },
  { id: 'topology', key: 't' },
  { id: 'services', key: 's' },
  { id: 'connections', key: 'n' },
  { id: 'changes', key: 'h' },
  { id: 'share', key: 'x' },
  { id: 'hosts', key: 'd' },
  { id: 'ipvs', key: 'i' },
  { id: 'ebpf', key: 'b' },
] as const

export type Route = (typeof routes)[number]['id']
