// The ways from client to server that stand against each other: each sets up one director, and says what the client asks.
import { existsSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import type { ServiceConfig } from '../../../core/model/plan.ts'
import { realServerConfig, serviceConfig } from '../../../test/fixtures/configs.ts'
import type { Namespaces, WayAddresses } from './namespaces.ts'

interface Scene {
  readonly namespaces: Namespaces
  readonly director: string
  readonly at: WayAddresses
  /** For configurations; goes with the run. */
  readonly folder: string
}

export interface Way {
  readonly key: string
  readonly title: string
  /** Why this machine does not have it; undefined where it does. */
  readonly obstacle: () => string | undefined
  /** Gives the address that the client asks. */
  readonly setUp: (scene: Scene) => string | Promise<string>
}

const folders = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin']
const needs = (program: string) => (): string | undefined =>
  folders.some((folder) => existsSync(join(folder, program))) ? undefined : `${program} is not installed`

const directorProgram = resolve(import.meta.dirname, '../../../test/netns/dataplane/director.ts')

/** The dataplane on the hook that it chooses itself, programmed by the agent's own code. */
function ours(key: string, title: string, forwarding: ServiceConfig['forwarding']): Way {
  return {
    key,
    title,
    obstacle: () => undefined,
    setUp: async ({ namespaces, director, at }) => {
      const ask = await namespaces.startAnswering(director, process.execPath, directorProgram)
      const service = `tcp/${at.vip}:80`
      const after = serviceConfig({ vip: at.vip, announce: 'none', interface: 'left', forwarding })
      // Replies of NAT come in on the other side.
      for (const device of ['left', 'right']) await ask({ execute: { kind: 'dataplane.attach', interface: device } })
      await ask({ execute: { kind: 'service.add', service, after } })
      const realServer = realServerConfig({ address: at.server, forwarding })
      await ask({ execute: { kind: 'realServer.add', service, dataplane: 'ebpf', after: realServer } })
      return at.vip
    },
  }
}

export const ways: readonly Way[] = [
  { key: 'routing', title: 'plain routing', obstacle: () => undefined, setUp: ({ at }) => at.server },
  ours('dr', 'eBPF, DR', 'dr'),
  {
    key: 'nftDnat',
    title: 'nft DNAT',
    obstacle: needs('nft'),
    setUp: ({ namespaces, director, at }) => {
      namespaces.run(director, 'nft', 'add table ip bench')
      namespaces.run(director, 'nft', 'add chain ip bench prerouting { type nat hook prerouting priority dstnat; }')
      namespaces.run(
        director,
        'nft',
        `add rule ip bench prerouting ip daddr ${at.vip} tcp dport 80 dnat to ${at.server}`,
      )
      return at.vip
    },
  },
  {
    key: 'haproxy',
    title: 'HAProxy, TCP mode',
    obstacle: needs('haproxy'),
    setUp: ({ namespaces, director, at, folder }) => {
      const file = join(folder, 'haproxy.cfg')
      const text = [
        'global',
        '  maxconn 2000',
        'defaults',
        '  mode tcp',
        '  timeout connect 5s',
        '  timeout client 30s',
        '  timeout server 30s',
        'listen bench',
        `  bind ${at.directorLeft}:80`,
        `  server one ${at.server}:80`,
      ]
      writeFileSync(file, `${text.join('\n')}\n`)
      namespaces.start(director, 'haproxy', '-db', '-q', '-f', file)
      return at.directorLeft
    },
  },
  {
    key: 'nginxStream',
    title: 'nginx stream',
    obstacle: () => (existsSync(streamModule) ? needs('nginx')() : `${streamModule} is not installed`),
    setUp: ({ namespaces, director, at, folder }) => {
      const server = `server { listen ${at.directorLeft}:80 backlog=8192; proxy_pass ${at.server}:80; }`
      startNginx(namespaces, director, folder, 'auto', `load_module ${streamModule};`, `stream { ${server} }`)
      return at.directorLeft
    },
  },
]

const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so'

/** Runs as long as the namespaces; its messages come out here. */
function startNginx(
  namespaces: Namespaces,
  name: string,
  folder: string,
  workers: 'auto' | { readonly cpu: number },
  before: string,
  work: string,
): void {
  const file = join(folder, `nginx-${name}.conf`)
  const text = [
    before,
    'user root;',
    'daemon off;',
    workers === 'auto' ? 'worker_processes auto;' : 'worker_processes 1;',
    `pid ${join(folder, `nginx-${name}.pid`)};`,
    'error_log stderr error;',
    'events { worker_connections 4096; }',
    work,
  ]
  writeFileSync(file, `${text.join('\n')}\n`)
  const pin = workers === 'auto' ? [] : ['taskset', '-c', String(workers.cpu)]
  namespaces.start(name, ...pin, 'nginx', '-e', 'stderr', '-p', folder, '-c', file)
}

/** Client and server have a CPU each, so that no run has more luck with them than another; directors have all. */
export const firstCpu = 0
const lastCpu = availableParallelism() - 1

/** What answers all requests, and never closes a connection by itself. */
export function startServer(namespaces: Namespaces, folder: string): void {
  const settings = 'access_log off; keepalive_requests 1000000000; default_type text/plain;'
  const server = 'server { listen 80 backlog=8192; location / { return 200 ok; } }'
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((what) => `${what}_temp_path ${join(folder, what)};`)
    .join(' ')
  startNginx(namespaces, 'server', folder, { cpu: lastCpu }, '', `http { ${settings} ${temporary} ${server} }`)
}
