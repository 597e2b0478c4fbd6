// Traffic that runs while a test does something else.
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { Guest } from '../../lab/guest/guest.ts'
import { type Answers, parseAnswers, type RequestOptions } from '../../lab/guest/traffic.ts'

/** `ipvsadm -Sn` of a host: the oracle for what the kernel holds. Its lines are sorted as the kernel gives them. */
export const savedTable = (guest: Guest, host: string | undefined): Promise<string> =>
  guest.run('ipvsadm -Sn', host === undefined ? {} : { host })

/** Runs lab-client with one request after the other until `work` is done, and answers what the requests got. */
export async function requestsDuring(
  guest: Guest,
  { protocol, address, port, timeoutMs = 3000 }: RequestOptions,
  work: () => Promise<void>,
): Promise<Answers> {
  const words = ['lab-client', protocol, address, String(port), 'count=1000000', `timeout=${timeoutMs}`]
  const child = guest.spawn(['sh', '-c', 'echo $$; exec "$@"', 'sh', ...words], { host: 'client' })
  const printed = text(child.stdout)
  const [first] = (await once(child.stdout, 'data')) as [Buffer]
  const pid = Number.parseInt(first.toString(), 10)
  try {
    await work()
  } finally {
    await guest.run(`kill ${pid}`)
  }
  const lines = (await printed).split('\n').slice(0, -1)
  return parseAnswers(lines.filter((line) => line !== '' && line !== String(pid)))
}
