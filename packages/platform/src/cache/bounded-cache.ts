/** Remembers the newest `max` answers by what they answer: who asks again because he heard nothing costs nothing. */
export function boundedCache<Answer>(max: number) {
  const answers = new Map<string, Answer>();
  return {
    get: (question: string): Answer | undefined => answers.get(question),
    /** Forgets this answer, if it is the one. */
    forget(question: string, answer: Answer): void {
      if (answers.get(question) === answer) answers.delete(question);
    },
    set(question: string, answer: Answer): void {
      answers.delete(question);
      answers.set(question, answer);
      for (const [oldest] of answers) {
        if (answers.size <= max) return;
        answers.delete(oldest);
      }
    },
  };
}
