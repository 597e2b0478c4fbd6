import type { CustomScheme } from 'electron'
import { newNonce, type PageFiles } from './page-files.ts'
import { isOurs, pageScheme } from './electron-origin.ts'
import { securityHeaders } from './security-headers.ts'

/** Registered before `ready`. Standard and secure: the page has an origin, and APIs that want a secure context work. */
export const pageSchemePrivileges: CustomScheme = {
  scheme: pageScheme,
  privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true },
}

/** Answers requests of the page from its fixed map of files, under the same headers as the browser shell. */
export function answerPageRequest(
  files: PageFiles,
  request: { readonly url: string; readonly method: string },
): Response {
  const refuse = (status: number) => new Response(null, { status, headers: securityHeaders(newNonce()) })
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405)
  const file = isOurs(request.url) ? files.respond(new URL(request.url).pathname) : null
  if (file === null) return refuse(404)
  const body = request.method === 'HEAD' ? null : new Uint8Array(file.body)
  return new Response(body, { status: 200, headers: file.headers })
}
