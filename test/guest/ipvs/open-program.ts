// Whether IPVS can be driven by this process. Prints one line of JSON.
import { openIpvs } from '../../../agent/dataplane/ipvs/open.ts'

const opened = openIpvs()
const answer =
  opened.availability === 'ready'
    ? { availability: opened.availability, services: opened.client.table().length }
    : opened
process.stdout.write(`${JSON.stringify(answer)}\n`)
