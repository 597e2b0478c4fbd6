import { Modal } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { routes } from '../app/route-names.ts'
import styles from './help-dialog.module.css'
import { isMac } from './top-bar.tsx'

/** All keys, under `?`. */
export function HelpDialog({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }) {
  const { t } = useTranslation()
  const keys: readonly (readonly [string, string])[] = [
    [isMac() ? '⌘ K' : 'Ctrl K', t('keys.palette')],
    ['/', t('keys.filter')],
    ['j  k', t('keys.walk')],
    ['Enter', t('keys.open')],
    ['Esc', t('keys.close')],
    ['?', t('keys.help')],
    ['g c', t('keys.directors')],
    ...routes.map(({ id, key }) => [`g ${key}`, t(`nav.${id}`)] as const),
  ]
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={t('keys.title')}
      size={440}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <dl className={styles.keys}>
        {keys.map(([key, what]) => (
          <div key={key} className={styles.row}>
            <dt>{key.split(' ').map((part, i) => (part === '' ? ' ' : <kbd key={i}>{part}</kbd>))}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  )
}
