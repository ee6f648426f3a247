/** An answer that is ready. */
interface Answer {
  send(): void;
  /** It could not be sent. The others are all the same. */
  failed(error: unknown): void;
}

/**
 * Holds the answers of one turn of the event loop until its end, then sends them in a row. A write wakes the process that
 * reads it, which on one machine (a TLS proxy, a benchmark) costs more than the answer itself; the second of two writes in
 * a row finds it awake. Without others an answer goes out as soon as without this: the end of a turn comes when nothing
 * else is there to be done.
 */
export class AnswersInARow {
  private waiting: Answer[] = [];

  /** The answer is sent at the end of this turn. */
  add(answer: Answer): void {
    if (this.waiting.push(answer) === 1) setImmediate(() => this.sendAll());
  }

  private sendAll(): void {
    const answers = this.waiting;
    this.waiting = [];
    for (const answer of answers) {
      try {
        answer.send();
      } catch (error) {
        answer.failed(error);
      }
    }
  }
}
