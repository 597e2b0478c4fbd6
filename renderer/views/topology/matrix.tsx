import { type KeyboardEvent, type PointerEvent, useEffect, useId, useRef, useState } from 'react'
import { useMantineColorScheme } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { RealServerView, Status } from '../../store/service-state.ts'
import { cell, cellsPerRow } from './layout.ts'
import styles from './topology.module.css'

const colours: Record<Status, string> = {
  up: '--sb-up',
  degraded: '--sb-degraded',
  down: '--sb-down',
  draining: '--sb-draining',
  unknown: '--sb-unknown',
}

function draw(context: CanvasRenderingContext2D, status: Status, x: number, y: number, size: number): void {
  const middle = size / 2
  context.beginPath()
  switch (status) {
    case 'up':
      context.arc(x + middle, y + middle, middle - 0.4, 0, Math.PI * 2)
      return context.fill()
    case 'degraded':
      context.moveTo(x + middle, y)
      context.lineTo(x + size, y + size)
      context.lineTo(x, y + size)
      return context.fill()
    case 'down':
      context.moveTo(x + middle, y - 0.5)
      context.lineTo(x + size + 0.5, y + middle)
      context.lineTo(x + middle, y + size + 0.5)
      context.lineTo(x - 0.5, y + middle)
      return context.fill()
    case 'draining':
      context.rect(x + 0.7, y + 0.7, size - 1.4, size - 1.4)
      context.stroke()
      return context.fillRect(x + middle - 1, y + middle - 1, 2, 2)
    case 'unknown':
      context.arc(x + middle, y + middle, middle - 0.8, 0, Math.PI * 2)
      return context.stroke()
  }
}

/**
 * One 9 px cell per real server, drawn on one canvas so that thousands cost nothing. Arrows walk, hover names, a click
 * or Enter selects; what is walked over is told to readers of the screen.
 */
export function Matrix({
  label,
  servers,
  selectedKey,
  onSelect,
}: {
  readonly label: string
  readonly servers: readonly RealServerView[]
  readonly selectedKey: string | null
  readonly onSelect: (server: RealServerView) => void
}) {
  const { t } = useTranslation()
  const canvas = useRef<HTMLCanvasElement>(null)
  const { colorScheme } = useMantineColorScheme()
  const [active, setActive] = useState(0)
  const [hovered, setHovered] = useState<number | null>(null)
  const id = useId()
  const rows = Math.max(1, Math.ceil(servers.length / cellsPerRow))
  const width = cellsPerRow * cell
  const height = rows * cell

  useEffect(() => {
    const element = canvas.current
    const context = element?.getContext('2d')
    if (element === null || context === null || context === undefined) return
    // Twice the screen's density: the map zooms in.
    const density = Math.min(4, window.devicePixelRatio * 2)
    element.width = width * density
    element.height = height * density
    context.scale(density, density)
    context.lineWidth = 1.3
    const style = getComputedStyle(element)
    for (const [i, server] of servers.entries()) {
      const x = (i % cellsPerRow) * cell + 1
      const y = Math.floor(i / cellsPerRow) * cell + 1
      context.fillStyle = style.getPropertyValue(colours[server.status])
      context.strokeStyle = context.fillStyle
      draw(context, server.status, x, y, cell - 2)
      if (server.key === selectedKey || i === hovered) {
        context.strokeStyle = style.getPropertyValue('--sb-text')
        context.strokeRect(x - 0.6, y - 0.6, cell - 0.8, cell - 0.8)
      }
    }
  }, [servers, width, height, selectedKey, hovered, colorScheme])

  const indexAt = (event: PointerEvent<HTMLCanvasElement>): number | null => {
    const box = event.currentTarget.getBoundingClientRect()
    const column = Math.floor(((event.clientX - box.left) / box.width) * cellsPerRow)
    const row = Math.floor(((event.clientY - box.top) / box.height) * rows)
    const index = row * cellsPerRow + column
    return index >= 0 && index < servers.length ? index : null
  }
  const nameOf = (server: RealServerView) =>
    `${server.name === undefined ? '' : `${server.name} `}${server.key}, ${t(`status.${server.status}`)}`

  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const moves: Record<string, number> = {
      ArrowRight: active + 1,
      ArrowLeft: active - 1,
      ArrowDown: active + cellsPerRow,
      ArrowUp: active - cellsPerRow,
      Home: 0,
      End: servers.length - 1,
    }
    const next = moves[event.key]
    const current = servers[active]
    if (next !== undefined) {
      const index = Math.min(servers.length - 1, Math.max(0, next))
      setActive(index)
      setHovered(index)
    } else if ((event.key === 'Enter' || event.key === ' ') && current !== undefined) onSelect(current)
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  const named = hovered === null ? undefined : servers[hovered]
  const walked = servers[active]
  return (
    <div
      className={`nodrag nopan ${styles.matrix}`}
      tabIndex={servers.length === 0 ? -1 : 0}
      role="listbox"
      aria-label={label}
      aria-activedescendant={walked === undefined ? undefined : `${id}-active`}
      onKeyDown={onKeyDown}
      onFocus={() => setHovered(active)}
      onBlur={() => setHovered(null)}
    >
      <canvas
        ref={canvas}
        style={{ width, height }}
        aria-hidden="true"
        title={named === undefined ? undefined : nameOf(named)}
        onPointerMove={(event) => setHovered(indexAt(event))}
        onPointerLeave={() => setHovered(null)}
        onClick={(event) => {
          const index = indexAt(event as PointerEvent<HTMLCanvasElement>)
          const server = index === null ? undefined : servers[index]
          if (index === null || server === undefined) return
          event.stopPropagation()
          setActive(index)
          onSelect(server)
        }}
      />
      {walked !== undefined && (
        <span
          id={`${id}-active`}
          role="option"
          className="sb-hidden"
          aria-selected={walked.key === selectedKey}
          aria-setsize={servers.length}
          aria-posinset={active + 1}
        >
          {nameOf(walked)}
        </span>
      )}
    </div>
  )
}
