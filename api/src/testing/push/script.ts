/** How a fake answers a request instead of taking it: by a status, by cutting the line, or not at all. */
export type Answer = { status: number; body?: object | string; headers?: Record<string, string> } | 'reset' | 'silence';

/** What a fake was told to do with the requests that come: once, or until it is told otherwise. */
export class Script {
  private readonly next: Answer[] = [];
  private always: Answer | null = null;

  /** The next requests get these answers, in this order. */
  once(...answers: Answer[]): void {
    this.next.push(...answers);
  }

  /** All others get this one; null: what is right is taken again. */
  from(answer: Answer | null): void {
    this.always = answer;
  }

  take(): Answer | null {
    return this.next.shift() ?? this.always;
  }

  clear(): void {
    this.next.length = 0;
    this.always = null;
  }
}
