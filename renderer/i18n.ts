import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'
import { en } from './locales/en/index.ts'

export type Language = 'en' | 'zh-CN'

/** What the workstation asks for, where the operator has not chosen. */
export function systemLanguage(): Language {
  return navigator.languages.some((language) => /^zh\b/i.test(language)) ? 'zh-CN' : 'en'
}

/** English is in the first bundle; Chinese is read when it is wanted. */
export async function switchLanguage(wanted: Language | 'system'): Promise<void> {
  const language = wanted === 'system' ? systemLanguage() : wanted
  if (language === 'zh-CN' && !i18next.hasResourceBundle('zh-CN', 'translation')) {
    const { zhCN } = await import('./locales/zh-CN/index.ts')
    i18next.addResourceBundle('zh-CN', 'translation', zhCN)
  }
  await i18next.changeLanguage(language)
  document.documentElement.lang = language
}

export async function startI18n(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: 'en',
    fallbackLng: 'en',
    resources: { en: { translation: en } },
    // Values come from hosts and operators; React escapes what it renders.
    interpolation: { escapeValue: false, prefix: '{', suffix: '}' },
    returnNull: false,
  })
  await switchLanguage('system')
}
