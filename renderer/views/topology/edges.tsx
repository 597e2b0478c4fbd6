import { BaseEdge, type Edge, type EdgeProps, getBezierPath } from '@xyflow/react'
import styles from './topology.module.css'

export type FlowEdge = Edge<{ readonly share: number; readonly isMoving: boolean; readonly isDimmed: boolean }, 'flow'>
export type ReplyEdge = Edge<
  {
    readonly busX: number
    readonly busY: number
    /** The way from the lowest pool is drawn whole; the others join it. */
    readonly hasTrunk: boolean
    readonly isMoving: boolean
    readonly isDimmed: boolean
  },
  'reply'
>
export type BackEdge = Edge<{ readonly isMoving: boolean; readonly isDimmed: boolean }, 'back'>
export type MapEdge = FlowEdge | ReplyEdge | BackEdge

const thinnest = 1.5
const thickest = 9

/** Requests: as thick as its share of the traffic, with a moving dash while there is any. */
function Flow(props: EdgeProps<FlowEdge>) {
  const [path] = getBezierPath(props)
  const { share, isMoving, isDimmed } = props.data ?? { share: 0, isMoving: false, isDimmed: false }
  const width = thinnest + (thickest - thinnest) * share
  return (
    <g className={isDimmed ? styles.dimmed : undefined}>
      <BaseEdge path={path} className={styles.flow} style={{ strokeWidth: width }} />
      {isMoving && <path d={path} className={styles.moving} />}
    </g>
  )
}

/** The reply in DR and Tunnel: from the real server to the client, past the director; always dashed. */
function Reply({ sourceX, sourceY, targetX, targetY, data }: EdgeProps<ReplyEdge>) {
  const { busX, busY, hasTrunk, isMoving, isDimmed } = data ?? {
    busX: sourceX,
    busY: targetY,
    hasTrunk: true,
    isMoving: false,
    isDimmed: false,
  }
  const r = 8
  const trunk = [
    `Q${busX} ${sourceY} ${busX} ${sourceY - r}`,
    `V${busY + r}Q${busX} ${busY} ${busX - r} ${busY}`,
    `H${targetX + r}Q${targetX} ${busY} ${targetX} ${busY + r}V${targetY}`,
  ].join('')
  const path = hasTrunk ? `M${sourceX} ${sourceY}H${busX - r}${trunk}` : `M${sourceX} ${sourceY}H${busX}`
  return (
    <g className={isDimmed ? styles.dimmed : undefined}>
      <path
        d={path}
        className={isMoving ? styles.replyMoving : styles.reply}
        markerEnd={hasTrunk ? 'url(#sb-arrow)' : undefined}
      />
    </g>
  )
}

/** A piece of the reply's way in NAT and FullNAT: back through the director, beside the requests. */
function Back(props: EdgeProps<BackEdge>) {
  const [path] = getBezierPath(props)
  const { isMoving, isDimmed } = props.data ?? { isMoving: false, isDimmed: false }
  return (
    <g className={isDimmed ? styles.dimmed : undefined}>
      <path d={path} className={styles.back} markerEnd="url(#sb-arrow)" />
      {isMoving && <path d={path} className={styles.backMoving} />}
    </g>
  )
}

export const edgeTypes = { flow: Flow, reply: Reply, back: Back }
