import { useDisclosure } from '@mantine/hooks'
import { useTranslation } from 'react-i18next'
import { Routes } from '../app/routes.tsx'
import { ReviewDrawer } from '../change/review-drawer.tsx'
import { useDirector } from '../store/selectors.ts'
import { QuestionDialog } from '../views/connect/question-dialog.tsx'
import { Footer } from './footer.tsx'
import styles from './frame.module.css'
import { HelpDialog } from './help-dialog.tsx'
import { Palette } from './palette.tsx'
import { SideNav } from './side-nav.tsx'
import { TopBar } from './top-bar.tsx'
import { useFrameDirector } from './use-director-id.ts'
import { useShortcuts } from './use-shortcuts.ts'

/** Top bar, navigation, view, footer. Only the view changes with the location. */
export function Frame() {
  const { t } = useTranslation()
  const directorId = useFrameDirector()
  const director = useDirector(directorId)
  const isProduction = director?.profile.isProduction ?? false
  const [isHelpOpen, help] = useDisclosure(false)
  useShortcuts(directorId, help.open)
  return (
    <div className={styles.frame} data-production={isProduction || undefined}>
      <a
        href="#view"
        className={styles.skip}
        onClick={(event) => {
          event.preventDefault()
          document.getElementById('view')?.focus()
        }}
      >
        {t('frame.skip')}
      </a>
      <TopBar directorId={directorId} onHelp={help.open} />
      <SideNav directorId={directorId} />
      <main id="view" className={styles.view} tabIndex={-1}>
        <Routes />
      </main>
      <Footer directorId={directorId} />
      <ReviewDrawer />
      <Palette directorId={directorId} onHelp={help.open} />
      {/* Wherever the operator is: checks and proofs meet host keys that nobody has seen yet. */}
      {director !== undefined && (
        <QuestionDialog directorId={director.profile.id} question={director.session.question} />
      )}
      <HelpDialog isOpen={isHelpOpen} onClose={help.close} />
    </div>
  )
}
