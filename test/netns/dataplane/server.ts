// A real server: `server.ts NAME ADDRESS PORT`. Each connection: `who` → its name and the client it sees; `take N` → reads
// N bytes and says so; `give N` → N bytes. One command a line, as many as the client likes.
import { createServer } from 'node:net'

const [name = '', address = '', port = ''] = process.argv.slice(2)
const block = Buffer.alloc(1 << 16, 'x')

createServer((socket) => {
  let buffered = ''
  let toTake = 0
  let taken = 0
  socket.on('error', () => undefined)
  socket.on('data', (chunk) => {
    if (toTake > 0) {
      taken += chunk.length
      if (taken >= toTake) {
        socket.write(`${JSON.stringify({ name, taken })}\n`)
        toTake = 0
      }
      return
    }
    buffered += chunk.toString('latin1')
    for (let end = buffered.indexOf('\n'); end >= 0; end = buffered.indexOf('\n')) {
      const [command, amount] = buffered.slice(0, end).split(' ')
      buffered = buffered.slice(end + 1)
      if (command === 'who') socket.write(`${JSON.stringify({ name, client: socket.remoteAddress })}\n`)
      if (command === 'take') {
        toTake = Number(amount)
        taken = 0
        socket.write('go\n')
      }
      if (command === 'give') for (let left = Number(amount); left > 0; left -= block.length) socket.write(block)
    }
  })
}).listen(Number(port), address, () => process.stdout.write('{"ready":true}\n'))
