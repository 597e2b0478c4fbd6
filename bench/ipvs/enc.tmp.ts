import { operationRequest } from '../../agent/dataplane/ipvs/requests.ts'
import { serviceOf, destinationOf, serviceIdOf } from '../../agent/dataplane/ipvs/wanted.ts'
import { desiredOf } from '../../core/reconcile/desired.ts'
import { serviceKey } from '../../core/model/service.ts'
import { largeCluster } from './cluster.ts'
const spec = largeCluster(1000, 10)
const d = desiredOf(spec, Object.fromEntries(spec.services.map((s) => [serviceKey(s), 'lo'])))
const ops = d.services.flatMap(({ config, realServers }) => [{ kind: 'service.add' as const, service: serviceOf(config) }, ...realServers.map((r) => ({ kind: 'destination.add' as const, service: serviceIdOf(config), destination: destinationOf(r, true) }))])
for (let i = 0; i < 6; i++) { const a = performance.now(); const r = ops.map(operationRequest); console.log((performance.now() - a).toFixed(1), r.length) }
