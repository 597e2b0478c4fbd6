import type { Page } from 'playwright-core'

/** Parts of the frame, by what they are called in a failure. */
const parts = { page: 'html', top: 'header', navigation: 'nav', view: 'main', footer: 'footer' } as const

/** Parts of the frame whose content is wider than they are, as `view 1040 > 1024`. */
export function widerThanFrame(page: Page): Promise<string[]> {
  return page.evaluate(
    (selectors) =>
      Object.entries(selectors).flatMap(([name, selector]) => {
        const part = document.querySelector(selector)
        return part !== null && part.scrollWidth > part.clientWidth
          ? [`${name} ${part.scrollWidth} > ${part.clientWidth}`]
          : []
      }),
    parts,
  )
}

/** Texts that are cut off on the screen and whose whole is nowhere to be had: no title on them or around them. */
export function cutWithoutTitle(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('body *')].flatMap((element) => {
      const isCut =
        element.scrollWidth > element.clientWidth + 1 &&
        element.clientWidth > 1 &&
        getComputedStyle(element).overflowX === 'hidden' &&
        element.innerText?.trim() !== ''
      if (!isCut || element.closest('[title]') !== null || element.querySelector('[title]') !== null) return []
      return [`${element.tagName.toLowerCase()}.${element.className}: ${element.innerText.slice(0, 80)}`]
    }),
  )
}

/** Pairs of texts that stand on top of each other, as the eye sees them: cut by what hides or scrolls around them. */
export function overlappingTexts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    interface Box {
      readonly text: string
      readonly node: Node
      readonly left: number
      readonly right: number
      readonly top: number
      readonly bottom: number
    }
    const boxes: Box[] = []
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const text = node.textContent?.trim() ?? ''
      const parent = node.parentElement
      if (text === '' || parent === null || parent.closest('script, style, .sb-hidden') !== null) continue
      if (!parent.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue
      const range = document.createRange()
      range.selectNodeContents(node)
      for (const rect of range.getClientRects()) {
        let { left, right, top, bottom } = rect
        for (let around: Element | null = parent; around !== null; around = around.parentElement) {
          if (getComputedStyle(around).overflowX === 'visible') continue
          const edge = around.getBoundingClientRect()
          left = Math.max(left, edge.left)
          right = Math.min(right, edge.right)
          top = Math.max(top, edge.top)
          bottom = Math.min(bottom, edge.bottom)
        }
        if (right - left < 2 || bottom - top < 2) continue
        // What another layer covers (a dialog, a sticky head) is not seen there.
        const seen = document.elementFromPoint((left + right) / 2, (top + bottom) / 2)
        if (seen === null || !(seen.contains(parent) || parent.contains(seen))) continue
        boxes.push({ text: text.slice(0, 50), node, left, right, top, bottom })
      }
    }
    return boxes.flatMap((a, i) =>
      boxes
        .slice(i + 1)
        .filter(
          (b) =>
            a.node !== b.node &&
            Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 &&
            Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4,
        )
        .map((b) => `${a.text} × ${b.text}`),
    )
  })
}
