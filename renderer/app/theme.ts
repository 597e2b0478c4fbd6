import { type CSSVariablesResolver, type MantineColorsTuple, createTheme } from '@mantine/core'

/** Cool greys of the dark theme, from text (0) to the deepest background (9). */
const dark: MantineColorsTuple = [
  '#e3e7ed',
  '#c3cad5',
  '#a8b1bf',
  '#7c8696',
  '#3a4250',
  '#272d38',
  '#1d222b',
  '#171b22',
  '#12161c',
  '#0f1217',
]

export const theme = createTheme({
  fontFamily: 'var(--sb-font)',
  fontFamilyMonospace: 'var(--sb-mono)',
  fontSizes: { xs: '12px', sm: '13px', md: '13px', lg: '15px', xl: '18px' },
  lineHeights: { xs: '1.4', sm: '1.45', md: '1.45', lg: '1.4', xl: '1.3' },
  headings: {
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '17px', lineHeight: '1.3' },
      h2: { fontSize: '14px', lineHeight: '1.35' },
      h3: { fontSize: '13px', lineHeight: '1.4' },
    },
  },
  spacing: { xs: '6px', sm: '10px', md: '14px', lg: '20px', xl: '28px' },
  colors: { dark },
  primaryColor: 'indigo',
  // Shade 8 keeps filled buttons and light variants at WCAG AA in both themes.
  primaryShade: { light: 8, dark: 8 },
  defaultRadius: 5,
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'xs' } },
    ActionIcon: { defaultProps: { size: 26, variant: 'subtle', color: 'gray' } },
    TextInput: { defaultProps: { size: 'xs' } },
    PasswordInput: { defaultProps: { size: 'xs' } },
    NumberInput: { defaultProps: { size: 'xs' } },
    Textarea: { defaultProps: { size: 'xs' } },
    Select: { defaultProps: { size: 'xs', comboboxProps: { shadow: 'md' } } },
    Checkbox: { defaultProps: { size: 'xs' } },
    Radio: { defaultProps: { size: 'xs' } },
    Switch: { defaultProps: { size: 'xs' } },
    SegmentedControl: { defaultProps: { size: 'xs' } },
    Tooltip: { defaultProps: { openDelay: 250, withArrow: true, multiline: true, maw: 420, fz: 12 } },
    Modal: { defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.45 } } },
    Tabs: { defaultProps: { keepMounted: false } },
    Menu: { defaultProps: { shadow: 'md', position: 'bottom-start' } },
  },
})

/** Mantine's own variables where its defaults miss WCAG AA at 13 px or do not match the tokens. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#ffffff',
    '--mantine-color-text': '#171c24',
    '--mantine-color-dimmed': '#4d5866',
    '--mantine-color-placeholder': '#667080',
    '--mantine-color-error': '#b02a1c',
    '--mantine-color-default-border': '#c6ccd4',
    '--mantine-color-anchor': '#364fc7',
  },
  dark: {
    '--mantine-color-body': '#171b22',
    '--mantine-color-text': '#e3e7ed',
    '--mantine-color-dimmed': '#a8b1bf',
    '--mantine-color-placeholder': '#8b95a5',
    '--mantine-color-error': '#ff8f7d',
    '--mantine-color-default-border': '#3a4250',
    '--mantine-color-anchor': '#9db0fa',
  },
})
