import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { securityHeaders } from './security-headers.ts'

/** One file of the page, as it is answered in both shells. */
export interface PageResponse {
  readonly body: Buffer
  readonly headers: Record<string, string>
}

/** The files of the page. What was not there at the start does not exist: no request ever becomes a path. */
export interface PageFiles {
  /** `pathname` as in a URL, `/` for the page itself; null where there is no such file. */
  respond(pathname: string): PageResponse | null
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
}

/** Where the page reads its nonce from (`renderer/index.html`). */
const noncePlace = '__CSP_NONCE__'
/** Names that vite makes unique by content: such a file never changes. */
const hashedName = /-[A-Za-z0-9_-]{8}\.[a-z0-9]+$/

interface PageFile {
  readonly body: Buffer
  readonly contentType: string
  readonly cacheControl: string
}

export const newNonce = (): string => randomBytes(18).toString('base64url')

/** Reads the built page into memory. Throws where it was not built, or has a file of a type that is not known here. */
export async function loadPageFiles(dir: string): Promise<PageFiles> {
  const files = new Map<string, PageFile>()
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw new Error(`${dir} cannot be read; build the page first (npm run build).`, { cause })
  })
  for (const entry of entries.filter((found) => found.isFile())) {
    const file = path.join(entry.parentPath, entry.name)
    const contentType = contentTypes[path.extname(entry.name)]
    if (contentType === undefined) throw new Error(`${file} has an unknown type; name it in main/shell/page-files.ts.`)
    files.set(`/${path.relative(dir, file).split(path.sep).join('/')}`, {
      body: await readFile(file),
      contentType,
      cacheControl: hashedName.test(entry.name) ? 'public, max-age=31536000, immutable' : 'no-store',
    })
  }
  const index = files.get('/index.html')
  if (index === undefined) throw new Error(`${dir} has no index.html; build the page first (npm run build).`)
  files.set('/', index)

  return {
    respond(pathname) {
      const file = files.get(pathname)
      if (file === undefined) return null
      const nonce = newNonce()
      const headers = {
        ...securityHeaders(nonce),
        'content-type': file.contentType,
        'cache-control': file.cacheControl,
      }
      const isPage = file === index
      return {
        headers,
        body: isPage ? Buffer.from(file.body.toString('utf8').replaceAll(noncePlace, nonce)) : file.body,
      }
    },
  }
}
