import { readFileSync } from 'node:fs'
import { startGuest } from '../guest/guest.ts'
import type { DemoLab } from './demo-lab.ts'

const network = readFileSync(new URL('guest-network.sh', import.meta.url), 'utf8')

/** As guest-network.sh makes them. */
const places = {
  director: '10.1.0.1',
  client: '10.1.0.2',
  vip: '10.1.0.100',
  realServers: ['10.1.0.11', '10.1.0.12', '10.1.0.13'],
  onBackNetwork: ['10.2.0.11', '10.2.0.12', '10.2.0.13'],
} as const
const counters = '/run/demo-client'

/** A director with a real IPVS: the guest itself. Its real servers and its client are namespaces inside of it. */
export async function guestDemo(): Promise<DemoLab> {
  const guest = await startGuest()
  try {
    await guest.run(network, { timeoutMs: 120_000 })
  } catch (error) {
    await guest.stop()
    throw error
  }
  const login = { user: 'root', keyFile: guest.keyFile }
  const director = { ...login, host: '127.0.0.1', port: guest.port }
  return {
    id: `guest-${guest.port}`,
    site: {
      director: { id: 'guest-director', name: 'IPVS director (guest)', target: director, isProduction: false },
      clientHost: {
        id: 'guest-client',
        name: 'Client in the guest',
        target: { ...login, host: places.client, port: 22, jump: director },
      },
      vip: places.vip,
      realServers: places.realServers,
      behindDirector: [...places.realServers, ...places.onBackNetwork],
      fingerprints: [guest.fingerprint],
    },
    realServersBehind: places.onBackNetwork,
    directorFingerprint: guest.fingerprint,
    facts: [
      ['director', `127.0.0.1 port ${guest.port}  (SSH as root; a guest with kernel 6.1 and IPVS; not connected yet)`],
      ['host key', guest.fingerprint],
      ['free VIP', places.vip],
      ['real servers', `${places.realServers.join(', ')}  (port 80; for DR; not prepared)`],
      ['', `${places.onBackNetwork.join(', ')}  (port 80; for NAT and FullNAT; the director is their gateway)`],
      ['client', `${places.client}  (tries http://${places.vip}/ twice a second)`],
    ],
    stateDir: guest.stateDir,
    async clientCounters() {
      const text = await guest.run(`cat ${counters}`)
      const [answered = 0, failed = 0, lastAnswer = 0, lastFailure = 0] = text.trim().split(' ').map(Number)
      return { answered, failed, lastAnswerAtMs: lastAnswer * 1000, lastFailureAtMs: lastFailure * 1000 }
    },
    stop: () => guest.stop(),
  }
}
