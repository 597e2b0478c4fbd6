import { quoteWords } from '../../core/model/shell-quote.ts'

/** First word of the supervisor's command line, by which it is known again. */
export const supervisorName = 'signalbox-supervisor'

/**
 * A POSIX shell script that keeps the agent running where there is no systemd: starts it again a second after a crash, ends
 * with it when it ended in peace, and hands SIGTERM on.
 */
export function supervisorScript(command: readonly string[]): string {
  return `
child=
trap 'trap "" TERM INT; [ -n "$child" ] && kill -TERM "$child" 2>/dev/null; wait; exit 0' TERM INT
while :; do
  ${quoteWords([...command, 'agent'])} </dev/null &
  child=$!
  wait "$child"
  code=$?
  [ "$code" -eq 0 ] && exit 0
  echo "the agent ended with $code; it is started again" >&2
  sleep 1 &
  child=$!
  wait "$child"
done
`
}
