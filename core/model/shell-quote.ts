/** One word for a POSIX shell: as it is where no character is special, else in single quotes. */
export function quoteWord(word: string): string {
  return /^(?!=)[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : inSingleQuotes(word)
}

/** A command line that a POSIX shell splits back into exactly these words, the first being the command. */
export function quoteWords(words: readonly string[]): string {
  // `a=b` in front would be an assignment, not a command.
  return words.map((word, i) => (i === 0 && word.includes('=') ? inSingleQuotes(word) : quoteWord(word))).join(' ')
}

function inSingleQuotes(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}
