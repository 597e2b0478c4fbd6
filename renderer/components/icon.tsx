import type { ReactNode } from 'react'

/** Line drawings on a 16 px grid, drawn for this program: one weight, no library of thousands. */
const drawings = {
  overview: (
    <>
      <rect x="2" y="2.5" width="5" height="4.5" rx="1" />
      <rect x="9" y="2.5" width="5" height="4.5" rx="1" />
      <path d="M2 13.5V11l3-1.5 3 2 3-3 3 1.5v3.5z" />
    </>
  ),
  topology: (
    <>
      <circle cx="3.5" cy="8" r="1.6" />
      <circle cx="12.5" cy="3.6" r="1.6" />
      <circle cx="12.5" cy="12.4" r="1.6" />
      <path d="M5 8h2.6M11 3.6C8.6 3.6 9 8 7.6 8M11 12.4C8.6 12.4 9 8 7.6 8" />
    </>
  ),
  services: (
    <>
      <rect x="2" y="2.5" width="12" height="4.6" rx="1" />
      <rect x="2" y="8.9" width="12" height="4.6" rx="1" />
      <path d="M4.5 4.8h.01M4.5 11.2h.01M7 4.8h4.5M7 11.2h4.5" />
    </>
  ),
  changes: (
    <>
      <path d="M8 2.2v3.4M8 10.4v3.4" />
      <circle cx="8" cy="8" r="2.4" />
      <path d="M11.5 3.5l2 2M13.5 3.5l-2 2" />
    </>
  ),
  share: <path d="M8 10V2.5M5.2 5.2 8 2.4l2.8 2.8M3 8.5v4a1 1 0 0 0 1 1h8a1 1 0 0 0 1-1v-4" />,
  hosts: (
    <>
      <rect x="3" y="2" width="10" height="12" rx="1" />
      <path d="M5.5 5h5M5.5 7.5h5M10 11.4h.01" />
    </>
  ),
  ebpf: (
    <>
      <path d="M8 1.8 13.4 5v6L8 14.2 2.6 11V5z" />
      <path d="M5.6 8h4.8M8.6 6 10.6 8 8.6 10" />
    </>
  ),
  search: (
    <>
      <circle cx="7" cy="7" r="4.4" />
      <path d="m10.4 10.4 3.2 3.2" />
    </>
  ),
  copy: (
    <>
      <rect x="5.5" y="5.5" width="8" height="8" rx="1.2" />
      <path d="M3.5 10.5a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1h6a1 1 0 0 1 1 1" />
    </>
  ),
  check: <path d="m3 8.4 3.2 3.2L13 4.8" />,
  close: <path d="m4 4 8 8M12 4l-8 8" />,
  plus: <path d="M8 3v10M3 8h10" />,
  sun: (
    <>
      <circle cx="8" cy="8" r="2.8" />
      <path d="M8 1.6v1.4M8 13v1.4M1.6 8H3M13 8h1.4M3.5 3.5l1 1M11.5 11.5l1 1M12.5 3.5l-1 1M4.5 11.5l-1 1" />
    </>
  ),
  moon: <path d="M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8z" />,
  auto: (
    <>
      <circle cx="8" cy="8" r="5.6" />
      <path d="M8 2.4v11.2A5.6 5.6 0 0 0 8 2.4z" fill="currentColor" />
    </>
  ),
  language: (
    <path d="M1.8 4h6.4M5 2.4V4M6.9 4C6.4 6.6 4.6 8.4 2.2 9.4M3.4 5.8c.6 1.5 1.8 2.6 3.4 3.3M8 14l3-7 3 7M9 11.8h4" />
  ),
  help: (
    <>
      <circle cx="8" cy="8" r="5.8" />
      <path d="M6.3 6.3a1.8 1.8 0 1 1 2.5 1.7c-.6.2-.8.6-.8 1.2M8 11.3h.01" />
    </>
  ),
  chevron: <path d="m4.5 6.3 3.5 3.5 3.5-3.5" />,
  chevronRight: <path d="m6.2 4.5 3.6 3.5-3.6 3.5" />,
  arrowUp: <path d="M8 13V3.5M4.5 7 8 3.4 11.5 7" />,
  arrowDown: <path d="M8 3v9.5M4.5 9 8 12.6 11.5 9" />,
  menu: <path d="M8 3.5h.01M8 8h.01M8 12.5h.01" strokeWidth="2" />,
  table: <path d="M2.5 3.5h11v9h-11zM2.5 6.5h11M6.5 6.5v6" />,
  chart: <path d="M2.5 2.5v11h11M5 10l2.5-3 2 1.8L13 5" />,
  warning: <path d="M8 2.4 14.2 13H1.8zM8 6.4v3M8 11.2h.01" />,
  info: (
    <>
      <circle cx="8" cy="8" r="5.8" />
      <path d="M8 7.4v3.4M8 5.2h.01" />
    </>
  ),
  undo: <path d="M5.5 3 2.6 5.9l2.9 2.9M2.8 5.9h6.4a3.6 3.6 0 0 1 0 7.2H6.4" />,
  trash: <path d="M2.8 4.4h10.4M6.4 4.2V2.6h3.2v1.6M4.2 4.6l.6 8.8h6.4l.6-8.8M6.8 7v4M9.2 7v4" />,
  drain: <path d="M3 3h10l-3.6 4.6v3.6L6.6 13V7.6z" />,
  pause: <path d="M5.4 3.4v9.2M10.6 3.4v9.2" />,
  reload: <path d="M13 8a5 5 0 1 1-1.5-3.6L13 5.8M13 2.8v3h-3" />,
  connections: <path d="M2.2 5h9.2M8.8 2.4 11.4 5 8.8 7.6M13.8 11H4.6M7.2 8.4 4.6 11l2.6 2.6" />,
  ipvs: (
    <>
      <path d="M3 4.5h10M3 8h10M3 11.5h10" />
      <circle cx="6" cy="4.5" r="1.4" fill="var(--sb-panel)" />
      <circle cx="10.4" cy="8" r="1.4" fill="var(--sb-panel)" />
      <circle cx="5" cy="11.5" r="1.4" fill="var(--sb-panel)" />
    </>
  ),
  play: <path d="M5 3.2 12.4 8 5 12.8z" />,
  plug: <path d="M5.6 2v3M10.4 2v3M4 5h8v2.4a4 4 0 0 1-8 0zM8 11.4V14" />,
  key: (
    <>
      <circle cx="5" cy="11" r="2.6" />
      <path d="m7 9.2 6-6M10.6 5.4l1.8 1.8" />
    </>
  ),
  bolt: <path d="M9 1.8 3.6 9H8l-1 5.2L12.4 7H8z" />,
  external: <path d="M6.5 3.5h-3v9h9v-3M9 2.8h4.2V7M13 3 7.4 8.6" />,
} as const

export type IconName = keyof typeof drawings

/** Decorative: the word beside it, or the button's label, carries the meaning. */
export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }): ReactNode {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.35"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {drawings[name]}
    </svg>
  )
}
