// A real server of UDP: `udp-server.ts NAME ADDRESS PORT`. Answers each datagram with its name, the client that it sees
// and the size of what came; from the address that was asked (the VIP), as a server of one address does.
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'

const [name = '', address = '', port = ''] = process.argv.slice(2)
const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
socket.on('message', (message, from) => {
  const answer = JSON.stringify({ name, client: from.address, bytes: message.length })
  socket.send(answer, from.port, from.address)
})
socket.bind(Number(port), address, () => process.stdout.write('{"ready":true}\n'))
