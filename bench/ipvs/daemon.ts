// Memory of the agent as it is installed: a daemon in a network namespace of the guest, with the cluster applied by the
// program's own command, looked at over some of its rounds.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClusterSpec } from '../../core/model/cluster-spec.ts'
import type { Guest } from '../../test/lab/guest/guest.ts'

const rounds = 12

/** The interface has a network that holds every real server, as a director's has. Prints a line in kB for each round. */
const script = `set -eu
cd /opt/bench
ip netns add bench; trap 'kill $pid 2>/dev/null || true; ip netns del bench' EXIT
ip -n bench link set lo up
ip -n bench link add front type dummy
ip -n bench link set front up
ip -n bench addr add 10.0.0.1/8 dev front
ip netns exec bench node signalbox.mjs agent --state-dir /root/bench/state --socket-dir /root/bench/run >/root/bench.log 2>&1 &
pid=$!
until [ -S /root/bench/run/agent.sock ]; do kill -0 $pid || { cat /root/bench.log >&2; exit 1; }; sleep 0.1; done
node signalbox.mjs apply cluster.json --no-confirm --socket /root/bench/run/agent.sock >&2
for round in $(seq ${rounds}); do sleep 2; sed -n 's/^RssAnon:[^0-9]*\\([0-9]*\\) kB/\\1/p' /proc/$pid/status; done
`

/** The largest of all rounds. The agent must lie in /opt/bench of the guest. */
export async function daemonRssMb(guest: Guest, spec: ClusterSpec): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-'))
  try {
    writeFileSync(join(folder, 'cluster.json'), JSON.stringify(spec))
    await guest.copyIn(join(folder, 'cluster.json'), '/opt/bench')
    const lines = await guest.run(script, { timeoutMs: 10 * 60_000 })
    return Math.max(...lines.trim().split('\n').map(Number)) / 1024
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
