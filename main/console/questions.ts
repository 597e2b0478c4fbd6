import type { Answer, Question } from '../../core/contract/session.ts'
import { AppError } from '../../core/contract/errors.ts'
import type { NewQuestion } from './ports.ts'

interface OpenQuestion {
  readonly question: Question
  resolve(answer: Answer): void
  reject(error: unknown): void
}

/** Questions of one director's session: one is shown at a time, the others wait in their order. */
export class Questions {
  readonly #queue: OpenQuestion[] = []
  readonly #onShow: (question: Question) => void
  readonly #onAnswered: (questionId: string) => void
  #nextId = 1

  constructor(onShow: (question: Question) => void, onAnswered: (questionId: string) => void) {
    this.#onShow = onShow
    this.#onAnswered = onAnswered
  }

  /** Resolves to the operator's answer; rejects when the signal aborts or the session ends. */
  ask(asked: NewQuestion, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const question = { ...asked, id: String(this.#nextId++) } as Question
      const stop = () => {
        this.#drop(entry)
        reject(signal.reason)
      }
      const entry: OpenQuestion = {
        question,
        resolve: (answer) => {
          signal.removeEventListener('abort', stop)
          resolve(answer)
        },
        reject,
      }
      signal.addEventListener('abort', stop, { once: true })
      this.#queue.push(entry)
      if (this.#queue.length === 1) this.#onShow(question)
    })
  }

  /** Throws NOT_FOUND where the question is not open any more, BAD_INPUT where the answer is none to it. */
  answer(questionId: string, answer: Answer): void {
    const entry = this.#queue.find(({ question }) => question.id === questionId)
    if (entry === undefined) {
      throw new AppError('NOT_FOUND', 'This question is not open any more.', {
        hint: 'It was answered elsewhere, or the connection went on without it.',
      })
    }
    const takes = takenAnswers(entry.question)
    if (!takes.includes(answer.kind)) {
      throw new AppError('BAD_INPUT', `answer.kind: found ${answer.kind}, expected ${takes.join(' or ')}.`)
    }
    this.#drop(entry)
    entry.resolve(answer)
  }

  #drop(entry: OpenQuestion): void {
    const at = this.#queue.indexOf(entry)
    if (at === -1) return
    this.#queue.splice(at, 1)
    if (at > 0) return
    this.#onAnswered(entry.question.id)
    const next = this.#queue[0]
    if (next !== undefined) this.#onShow(next.question)
  }
}

function takenAnswers({ kind }: Question): readonly Answer['kind'][] {
  return kind === 'hostKey' || kind === 'install' ? ['accept', 'reject'] : ['secrets', 'reject']
}
