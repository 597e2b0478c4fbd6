// The architecture's home: which folder may import what, each rule with the reason and the way to go instead.
import { defineConfig } from 'oxlint'

interface Restriction {
  readonly regex: string
  readonly message: string
}

/** Process folders see core/ and themselves: they only meet over a wire. */
const processFolders = ['agent', 'main', 'preload', 'renderer']

const otherProcesses = (own: string): Restriction[] =>
  ['test', 'scripts', 'bench', ...processFolders]
    .filter((folder) => folder !== own)
    .map((folder) => ({
      regex: `^(\\.\\./)+${folder}/`,
      message: `${own}/ and ${folder}/ are different programs or environments. Put what both need into core/, or send it over the contract.`,
    }))

const only = (name: string, regex: string, where: string, instead: string): Record<string, Restriction> => ({
  [name]: { regex, message: `${name} is imported in ${where} only. ${instead}` },
})

/** Packages that reach outside of the program, and the files through which they do. */
const guarded: Record<string, Restriction> = {
  ...only(
    'ssh2',
    '^ssh2(/|$)',
    'main/console/ssh/',
    'Use the SshPort that createConsole gets, or add a function there.',
  ),
  ...only('koffi', '^koffi(/|$)', 'agent/kernel/', 'Use the functions of agent/kernel/syscall.ts, or add one there.'),
  ...only(
    'electron',
    '^electron(/|$)',
    'main/electron.ts, main/shell/electron-*.ts and preload/',
    'Pass what you need in: the console core also runs without Electron.',
  ),
  ...only(
    'electron-store',
    '^electron-store(/|$)',
    'main/electron.ts and main/shell/electron-*.ts',
    'Use the store port; electron-store throws outside of Electron.',
  ),
  ...only(
    'child_process',
    '^(node:)?child_process$',
    'the files named in oxlint.config.ts',
    'A program that is started is a hole in the sandbox: use what is there, or name the new file and say why.',
  ),
}

const guardedExcept = (...allowed: (keyof typeof guarded)[]): Restriction[] =>
  Object.entries(guarded).flatMap(([name, restriction]) => (allowed.includes(name) ? [] : [restriction]))

const imports = (...patterns: Restriction[]): { 'no-restricted-imports': ['error', { patterns: Restriction[] }] } => ({
  'no-restricted-imports': ['error', { patterns }],
})

/** Whatever is not a relative path, but for the named packages. */
const everythingBut = (...packages: string[]): string => `^${segmentOtherThan(['.', '..', ...packages])}$`

/** A regular expression for paths whose first segment is none of the words (oxlint's have no look-ahead). */
function segmentOtherThan(words: readonly string[]): string {
  const heads = [...new Set(words.map((word) => word.slice(0, 1)))].filter((head) => head !== '')
  const branches = heads.map((head) => {
    const tails = words.filter((word) => word.startsWith(head)).map((word) => word.slice(1))
    return (head === '.' ? '\\.' : head) + segmentOtherThan(tails)
  })
  const ends = words.includes('') ? [] : ['', '/.*']
  return `(${[`[^${heads.join('')}/].*`, ...ends, ...branches].join('|')})`
}

const corePurity: Restriction = {
  regex: everythingBut('zod', 'ipaddr.js'),
  message:
    'core/ runs in the page, in Node and in Electron: it imports zod, ipaddr.js and itself only. Take the rest (clock, files, random numbers) as a parameter.',
}
const formatPurity: Restriction = {
  regex: everythingBut('zod', 'ipaddr.js', 'yaml'),
  message: 'core/formats/ imports zod, ipaddr.js, yaml and core/ only. Take the rest as a parameter.',
}
const noFormatsInPage: Restriction = {
  regex: '(^|/)core/formats/',
  message: 'Parsers stay out of the page (they bring yaml): call the console method that parses or writes the format.',
}
const noNodeInPage: Restriction = {
  regex: '^node:',
  message: 'The page is a sandbox without Node. Ask the console core over the contract.',
}

export default defineConfig({
  plugins: ['typescript', 'unicorn', 'oxc', 'import', 'react'],
  categories: { correctness: 'error', suspicious: 'off', perf: 'off', pedantic: 'off', style: 'off' },
  env: { builtin: true },
  ignorePatterns: ['dist', 'artifacts', '.cache', 'node_modules'],
  options: { typeAware: true, reportUnusedDisableDirectives: 'error' },
  rules: {
    eqeqeq: ['error', 'always', { null: 'ignore' }],
    'no-var': 'error',
    'prefer-const': 'error',
    'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
    'no-console': 'off',
    'no-eval': 'error',
    'no-new-func': 'error',
    'import/no-cycle': 'error',
    'react/rules-of-hooks': 'error',
    'react/exhaustive-deps': 'error',
    // These speak about the React compiler, which is not used.
    'react/incompatible-library': 'off',
    'react/purity': 'off',
    'react/refs': 'off',
    'react/set-state-in-effect': 'off',
    'react/no-danger': 'error',
    'typescript/consistent-type-imports': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/ban-ts-comment': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
    'typescript/await-thenable': 'error',
    'typescript/switch-exhaustiveness-check': [
      'error',
      { considerDefaultExhaustiveForUnions: true, allowDefaultCaseForExhaustiveSwitch: true },
    ],
    'typescript/only-throw-error': 'error',
    'typescript/no-unsafe-assignment': 'error',
    'typescript/no-unsafe-call': 'error',
    'typescript/no-unsafe-member-access': 'error',
    'typescript/no-unsafe-return': 'error',
    'typescript/no-unsafe-argument': 'error',
  },
  overrides: [
    { files: ['core/**'], rules: imports(corePurity, ...otherProcesses('core')) },
    { files: ['core/formats/**'], rules: imports(formatPurity, ...otherProcesses('core')) },
    { files: ['agent/**'], rules: imports(...otherProcesses('agent'), ...guardedExcept()) },
    { files: ['agent/kernel/**'], rules: imports(...otherProcesses('agent'), ...guardedExcept('koffi')) },
    // groupadd, systemctl, the supervisor, modprobe and nft: programs of the director. No shell in between.
    {
      files: ['agent/host/run-command.ts'],
      rules: imports(...otherProcesses('agent'), ...guardedExcept('child_process')),
    },
    { files: ['main/**'], rules: imports(...otherProcesses('main'), ...guardedExcept()) },
    { files: ['main/console/ssh/**'], rules: imports(...otherProcesses('main'), ...guardedExcept('ssh2')) },
    {
      files: ['main/electron.ts', 'main/shell/electron-*.ts'],
      rules: imports(...otherProcesses('main'), ...guardedExcept('electron', 'electron-store')),
    },
    // Starts the operator's browser with the console's address as its only argument.
    {
      files: ['main/shell/open-browser.ts'],
      rules: imports(...otherProcesses('main'), ...guardedExcept('child_process')),
    },
    { files: ['preload/**'], rules: imports(...otherProcesses('preload'), ...guardedExcept('electron'), noNodeInPage) },
    {
      files: ['renderer/**'],
      rules: imports(...otherProcesses('renderer'), ...guardedExcept(), noNodeInPage, noFormatsInPage),
    },
    {
      // Bootstrap and build: JSON and tools come in without types.
      files: ['scripts/**', '*.config.ts'],
      rules: {
        'typescript/no-unsafe-assignment': 'off',
        'typescript/no-unsafe-member-access': 'off',
        'typescript/no-unsafe-argument': 'off',
        'typescript/no-unsafe-call': 'off',
        'typescript/no-unsafe-return': 'off',
      },
    },
    {
      files: ['test/**', 'bench/**'],
      rules: { 'typescript/no-non-null-assertion': 'off' },
    },
  ],
})
