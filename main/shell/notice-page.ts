import { newNonce } from './page-files.ts'
import { securityHeaders } from './security-headers.ts'

/** Why somebody sees a page that is not the console. */
export type Notice = 'usedLink' | 'noSession' | 'wrongHost' | 'wrongOrigin' | 'notFound' | 'wrongMethod' | 'unavailable'

type Language = 'en' | 'zh-CN'

interface NoticeText {
  readonly title: string
  readonly text: string
}

const statuses: Readonly<Record<Notice, number>> = {
  usedLink: 403,
  noSession: 401,
  wrongHost: 421,
  wrongOrigin: 403,
  notFound: 404,
  wrongMethod: 405,
  unavailable: 503,
}

/** Followed by how to print a new link. */
const wantsLink: ReadonlySet<Notice> = new Set(['usedLink', 'noSession'])

const texts: Readonly<Record<Language, Record<Notice, NoticeText> & { newLink: string; open: string }>> = {
  en: {
    usedLink: {
      title: 'This link was used already',
      text: 'A link opens the console once. This one was used before, or it belongs to another run of the console.',
    },
    noSession: {
      title: 'This browser is not signed in to the console',
      text: 'The console answers only browsers that were opened with a link that it printed itself.',
    },
    wrongHost: {
      title: 'The console is not served under this name',
      text: 'It answers to 127.0.0.1, localhost and [::1] only, with any port.',
    },
    wrongOrigin: {
      title: 'The request came from another page',
      text: 'Only the console’s own page may send it requests.',
    },
    notFound: { title: 'There is nothing here', text: 'The console has no such page or file.' },
    wrongMethod: { title: 'This method is not supported', text: 'Pages and files can only be read (GET or HEAD).' },
    unavailable: { title: 'The console is closing', text: 'Start it again and open the link that it prints.' },

    newLink: 'To print a new link, run this in a terminal on the machine where the console runs:',
    open: 'Open the console',
  },
  'zh-CN': {
    usedLink: {
      title: '此链接已被使用',
      text: '每个链接只能打开控制台一次。此链接已使用过，或属于控制台的另一次运行。',
    },
    noSession: {
      title: '此浏览器尚未登录控制台',
      text: '控制台只响应通过其自身打印的链接打开的浏览器。',
    },
    wrongHost: {
      title: '控制台不在此名称下提供服务',
      text: '它只响应 127.0.0.1、localhost 和 [::1]，端口不限。',
    },
    wrongOrigin: { title: '请求来自其他页面', text: '只有控制台自己的页面可以向其发送请求。' },
    notFound: { title: '此处没有内容', text: '控制台没有这样的页面或文件。' },
    wrongMethod: { title: '不支持此方法', text: '页面和文件只能读取（GET 或 HEAD）。' },
    unavailable: { title: '控制台正在关闭', text: '请重新启动控制台，并打开其打印的链接。' },
    newLink: '要打印新链接，请在运行控制台的机器上的终端中执行：',
    open: '打开控制台',
  },
}

/** The first language of an Accept-Language header that there is; English where there is none. */
export function pickLanguage(header: string | undefined): Language {
  const wanted = (header ?? '')
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().toLowerCase().split(';')
      const quality = parameters
        .map((parameter) => /^\s*q=([0-9.]+)$/.exec(parameter)?.[1])
        .find((q) => q !== undefined)
      return { language: tag.split('-')[0], quality: quality === undefined ? 1 : Number(quality) }
    })
    .filter(({ language, quality }) => quality > 0 && (language === 'en' || language === 'zh'))
    .toSorted((a, b) => b.quality - a.quality)
  return wanted[0]?.language === 'zh' ? 'zh-CN' : 'en'
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (char) => escapes[char] ?? char)

const style = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, 'Noto Sans CJK SC', sans-serif; max-width: 40rem; margin: 15vh auto 0; padding: 0 1.5rem; }
h1 { font-size: 1.4rem; }
code { display: block; padding: .6rem .8rem; border: 1px solid; border-radius: 4px; overflow-wrap: anywhere; user-select: all; }
`

export interface NoticeResponse {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string
}

/**
 * A page for a person who did not get the console, in the browser's language.
 *
 * @param newLinkCommand what prints a new link, typed as it is
 */
export function noticePage(notice: Notice, acceptLanguage: string | undefined, newLinkCommand: string): NoticeResponse {
  const language = pickLanguage(acceptLanguage)
  const { title, text } = texts[language][notice]
  const help = wantsLink.has(notice)
    ? `<p>${texts[language].newLink}</p><code>${escapeHtml(newLinkCommand)}</code>`
    : ''
  return htmlPage(language, statuses[notice], title, '', `<p>${text}</p>${help}`)
}

/**
 * Goes on to the console by itself. A browser that comes from elsewhere (a file, a terminal in another page) does not
 * send a strict cookie with that first request, but does with the next, which this page starts.
 */
export function onwardPage(acceptLanguage: string | undefined): NoticeResponse {
  const language = pickLanguage(acceptLanguage)
  const refresh = '<meta http-equiv="refresh" content="0;url=/">'
  return htmlPage(language, 200, 'Signalbox', refresh, `<p><a href="/">${texts[language].open}</a></p>`)
}

function htmlPage(language: Language, status: number, title: string, head: string, body: string): NoticeResponse {
  const nonce = newNonce()
  return {
    status,
    headers: {
      ...securityHeaders(nonce),
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
    },
    body:
      `<!doctype html><html lang="${language}"><head><meta charset="utf-8">` +
      '<meta name="viewport" content="width=device-width, initial-scale=1">' +
      `${head}<title>${title}</title><style nonce="${nonce}">${style}</style></head>` +
      `<body><main><h1>${title}</h1>${body}</main></body></html>\n`,
  }
}
