import {
  type ColumnDef,
  createFilteredRowModel,
  createSortedRowModel,
  globalFilteringFeature,
  rowSortingFeature,
  columnFilteringFeature,
  tableFeatures,
  useTable,
} from '@tanstack/react-table'
import { useElementSize, useMergedRef } from '@mantine/hooks'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import styles from './data-table.module.css'
import { fitting, widthOf } from './fit-columns.ts'
import { Icon } from './icon.tsx'

export interface Column<Row> {
  readonly id: string
  readonly header: ReactNode
  /** Explains the column on hover and to readers of the screen. */
  readonly hint?: string
  /** Width in pixels; columns without one share what is left. */
  readonly width?: number
  /** What such a column is never narrower than, in pixels. */
  readonly least?: number
  /** Left out where the table is too narrow for all columns, the last one first. */
  readonly isOptional?: boolean
  readonly align?: 'end'
  readonly cell: (row: Row) => ReactNode
  /** What the column is sorted by; left out, it is not sortable. Null goes last. */
  readonly sortBy?: (row: Row) => string | number | null
}

const features = tableFeatures({
  rowSortingFeature,
  columnFilteringFeature,
  globalFilteringFeature,
  sortedRowModel: createSortedRowModel(),
  filteredRowModel: createFilteredRowModel(),
})

const rowHeight = 26
function compare(a: string | number | null, b: string | number | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return String(a).localeCompare(String(b), undefined, { numeric: true })
}

/**
 * Rows of 26 px, sorted and filtered, only those in view in the page. One row is in the tab order; arrows or j and k
 * walk, Home and End jump, Enter opens. Controls inside a row stay reachable by Tab.
 */
export function DataTable<Row extends object>({
  label,
  rows,
  columns: allColumns,
  rowKey,
  searchText,
  filter = '',
  initialSort,
  sort,
  onSort,
  onOpen,
  selectedKey,
  onSelect,
  empty,
  maxHeight,
}: {
  readonly label: string
  readonly rows: readonly Row[]
  readonly columns: readonly Column<Row>[]
  readonly rowKey: (row: Row) => string
  /** Text that the filter looks through; left out, the table does not filter. */
  readonly searchText?: (row: Row) => string
  readonly filter?: string
  readonly initialSort?: { readonly id: string; readonly isDescending?: boolean }
  /** Given where the rows come sorted: the heads then only say and ask for an order. */
  readonly sort?: { readonly id: string; readonly isDescending: boolean }
  readonly onSort?: (sort: { readonly id: string; readonly isDescending: boolean }) => void
  readonly onOpen?: (row: Row) => void
  readonly selectedKey?: string | null
  readonly onSelect?: (row: Row) => void
  readonly empty?: ReactNode
  /** Left out: the table fills what its parent gives. */
  readonly maxHeight?: string
}) {
  const { t } = useTranslation()
  const scroller = useRef<HTMLDivElement>(null)
  const { ref: measured, width: available } = useElementSize<HTMLDivElement>()
  const columns = useMemo(() => fitting(allColumns, available), [allColumns, available])
  const [activeKey, setActiveKey] = useState<string | null>(null)
  const wantsFocus = useRef(false)

  const defs = useMemo(
    (): ColumnDef<typeof features, Row>[] =>
      columns.map((column) => ({
        id: column.id,
        accessorFn: (row: Row) => column.sortBy?.(row) ?? null,
        enableSorting: column.sortBy !== undefined,
        sortFn: (a, b) => compare(column.sortBy?.(a.original) ?? null, column.sortBy?.(b.original) ?? null),
        sortUndefined: 'last' as const,
        header: () => column.header,
      })),
    [columns],
  )
  const data = useMemo(() => [...rows], [rows])
  const table = useTable({
    features,
    columns: defs,
    data,
    getRowId: (row) => rowKey(row),
    initialState: {
      sorting: initialSort === undefined ? [] : [{ id: initialSort.id, desc: initialSort.isDescending ?? false }],
    },
    state: {
      globalFilter: filter,
      ...(sort === undefined ? {} : { sorting: [{ id: sort.id, desc: sort.isDescending }] }),
    },
    manualSorting: sort !== undefined,
    getColumnCanGlobalFilter: () => true,
    globalFilterFn: (row, _id, wanted: string) => {
      const text = (searchText?.(row.original) ?? '').toLowerCase()
      return wanted
        .toLowerCase()
        .split(/\s+/)
        .every((word) => text.includes(word))
    },
    autoResetAll: false,
  })
  const shown = table.getRowModel().rows
  const byId = useMemo(() => new Map(columns.map((column) => [column.id, column])), [columns])

  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 8,
    getItemKey: (index) => shown[index]?.id ?? index,
    initialRect: { width: 800, height: 600 },
  })
  const items = virtual.getVirtualItems()
  const above = items[0]?.start ?? 0
  const below = virtual.getTotalSize() - (items.at(-1)?.end ?? 0)

  const activeIndex = Math.max(
    0,
    shown.findIndex(({ id }) => id === activeKey),
  )
  const walkTo = (index: number) => {
    const next = shown[Math.min(shown.length - 1, Math.max(0, index))]
    if (next === undefined) return
    wantsFocus.current = true
    setActiveKey(next.id)
    virtual.scrollToIndex(next.index < 0 ? 0 : shown.indexOf(next))
  }
  useEffect(() => {
    if (!wantsFocus.current) return
    const row = scroller.current?.querySelector<HTMLElement>('tr[data-active]')
    if (row === null || row === undefined) return
    wantsFocus.current = false
    row.focus()
  })

  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const onRow = event.target instanceof HTMLElement && event.target.matches('tr')
    if (!onRow || event.ctrlKey || event.metaKey || event.altKey) return
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 260) / rowHeight) - 2)
    const moves: Record<string, number> = {
      ArrowDown: activeIndex + 1,
      j: activeIndex + 1,
      ArrowUp: activeIndex - 1,
      k: activeIndex - 1,
      Home: 0,
      End: shown.length - 1,
      PageDown: activeIndex + page,
      PageUp: activeIndex - page,
    }
    const target = moves[event.key]
    const row = shown[activeIndex]
    if (target !== undefined) walkTo(target)
    else if (event.key === 'Enter' && row !== undefined && onOpen !== undefined) onOpen(row.original)
    else if (event.key === ' ' && row !== undefined && onSelect !== undefined) onSelect(row.original)
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  return (
    <div className={styles.frame} style={maxHeight === undefined ? undefined : { maxHeight }}>
      <div ref={useMergedRef(scroller, measured)} className={styles.scroller} data-rows="">
        <table
          className={styles.table}
          style={{ minWidth: widthOf(columns) }}
          aria-label={label}
          aria-rowcount={shown.length + 1}
        >
          <colgroup>
            {columns.map(({ id, width }) => (
              <col key={id} style={width === undefined ? undefined : { width }} />
            ))}
          </colgroup>
          <thead>
            <tr aria-rowindex={1}>
              {table.getFlatHeaders().map((header) => {
                const column = byId.get(header.column.id)
                const sorted = header.column.getIsSorted()
                const content = (
                  <>
                    <span className="sb-cut">{column?.header}</span>
                    {sorted !== false && <Icon name={sorted === 'asc' ? 'arrowUp' : 'arrowDown'} size={12} />}
                  </>
                )
                return (
                  <th
                    key={header.id}
                    scope="col"
                    className={column?.align === 'end' ? styles.end : undefined}
                    aria-sort={sorted === false ? undefined : sorted === 'asc' ? 'ascending' : 'descending'}
                    title={column?.hint}
                  >
                    {header.column.getCanSort() ? (
                      <button
                        type="button"
                        className={styles.sort}
                        onClick={
                          onSort === undefined
                            ? header.column.getToggleSortingHandler()
                            : () => onSort({ id: header.column.id, isDescending: sorted === 'asc' })
                        }
                      >
                        {content}
                      </button>
                    ) : (
                      <span className={styles.plain}>{content}</span>
                    )}
                  </th>
                )
              })}
            </tr>
          </thead>
          <tbody onKeyDown={onKeyDown}>
            {above > 0 && (
              <tr aria-hidden="true">
                <td colSpan={columns.length} style={{ height: above, padding: 0, border: 0 }} />
              </tr>
            )}
            {items.map((item) => {
              const row = shown[item.index]
              if (row === undefined) return null
              const isActive = item.index === activeIndex
              return (
                <tr
                  key={row.id}
                  aria-rowindex={item.index + 2}
                  aria-selected={selectedKey === undefined ? undefined : selectedKey === row.id}
                  data-active={isActive || undefined}
                  data-key={row.id}
                  data-clickable={onOpen !== undefined || onSelect !== undefined || undefined}
                  tabIndex={isActive ? 0 : -1}
                  onFocus={(event) => {
                    if (event.target === event.currentTarget) setActiveKey(row.id)
                  }}
                  onClick={(event) => {
                    const onControl =
                      event.target instanceof Element &&
                      event.target.closest('a, button, input, select, [role="menu"], label') !== null
                    if (onControl) return
                    setActiveKey(row.id)
                    if (onSelect !== undefined) onSelect(row.original)
                    else onOpen?.(row.original)
                  }}
                >
                  {columns.map((column) => (
                    <td key={column.id} className={column.align === 'end' ? styles.end : undefined}>
                      {column.cell(row.original)}
                    </td>
                  ))}
                </tr>
              )
            })}
            {below > 0 && (
              <tr aria-hidden="true">
                <td colSpan={columns.length} style={{ height: below, padding: 0, border: 0 }} />
              </tr>
            )}
          </tbody>
        </table>
        {shown.length === 0 && <div className={styles.none}>{rows.length === 0 ? empty : t('table.noMatch')}</div>}
      </div>
      {filter !== '' && shown.length < rows.length && (
        <div className={styles.foot} role="status">
          {t('table.showing', { shown: shown.length, total: rows.length })}
        </div>
      )}
    </div>
  )
}
