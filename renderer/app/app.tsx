import { MantineProvider, localStorageColorSchemeManager, useMantineColorScheme } from '@mantine/core'
import { useEffect } from 'react'
import { Router } from 'wouter'
import { useHashLocation } from 'wouter/use-hash-location'
import { ErrorBoundary } from './error-boundary.tsx'
import { Frame } from '../frame/frame.tsx'
import { switchLanguage } from '../i18n.ts'
import { useConsole } from '../store/console-store.ts'
import { styleNonce } from './nonce.ts'
import { cssVariables, theme } from './theme.ts'

// A copy for the first paint; the console core's preference follows and wins.
const colorSchemes = localStorageColorSchemeManager({ key: 'signalbox-theme' })

export function App() {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      getStyleNonce={styleNonce}
      defaultColorScheme="auto"
      colorSchemeManager={colorSchemes}
    >
      <Preferred />
      <ErrorBoundary>
        <Router hook={useHashLocation}>
          <Frame />
        </Router>
      </ErrorBoundary>
    </MantineProvider>
  )
}

/** Follows the preferences, wherever they were changed: here, in another tab, in another window. */
function Preferred() {
  const { theme: wantedTheme, language } = useConsole((s) => s.preferences)
  const isKnown = useConsole((s) => s.info !== null)
  const { setColorScheme } = useMantineColorScheme()
  useEffect(() => {
    if (isKnown) setColorScheme(wantedTheme === 'system' ? 'auto' : wantedTheme)
  }, [isKnown, wantedTheme, setColorScheme])
  useEffect(() => {
    if (isKnown) void switchLanguage(language)
  }, [isKnown, language])
  return null
}
