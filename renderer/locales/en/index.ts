import { change } from './change.ts'
import { changes } from './changes.ts'
import { cluster } from './cluster.ts'
import { common } from './common.ts'
import { connect } from './connect.ts'
import { drift } from './drift.ts'
import { ebpf } from './ebpf.ts'
import { frame } from './frame.ts'
import { hosts } from './hosts.ts'
import { ipvs } from './ipvs.ts'
import { services } from './services.ts'
import { share } from './share.ts'
import { wizard } from './wizard.ts'

export const en = {
  ...common,
  ...frame,
  ...change,
  ...connect,
  ...cluster,
  ...drift,
  ebpf,
  ...services,
  ...hosts,
  ...ipvs,
  wizard,
  changes,
  share,
}
