/** One word for a POSIX shell: as it is where no character is special, else in single quotes. */
export function quoteWord(word: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word
  return `'${word.replaceAll("'", "'\\''")}'`
}

/** A command line that a POSIX shell splits back into exactly these words. */
export function quoteWords(words: readonly string[]): string {
  return words.map(quoteWord).join(' ')
}
