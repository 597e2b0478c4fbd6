import '@fontsource-variable/inter/wght.css'
import '@fontsource/jetbrains-mono/400.css'
import '@mantine/core/styles.css'
import '@mantine/spotlight/styles.css'
import './styles/tokens.css'
import './styles/base.css'
import { createRoot } from 'react-dom/client'
import { config } from 'zod'
import { App } from './app/app.tsx'
import { startKeepingChanges } from './change/kept-changes.ts'
import { startLink } from './connection/link.ts'
import { startI18n } from './i18n.ts'
import { startFeeds } from './store/feeds.ts'

// The page's CSP forbids code made from text, which zod would try for speed.
config({ jitless: true })

const root = document.getElementById('root')
if (root === null) throw new Error('The page has no element with the id root.')
startKeepingChanges(window.sessionStorage)
startLink(startFeeds)
// The views that most starts lead to come beside the connection, not after it.
void import('./views/connect/connect-view.tsx')
void import('./views/overview/overview-view.tsx')
await startI18n()
createRoot(root).render(<App />)
