/** The nonce of this page's CSP, under which style elements are allowed; the shell writes it into the page. */
export function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? ''
}

declare global {
  // Read by the library that locks the page's scrolling behind a dialog; it adds a style element.
  var __webpack_nonce__: string | undefined
}

globalThis.__webpack_nonce__ = styleNonce()
