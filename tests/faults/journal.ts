export type Protocol = 'rest' | 'xmpp' | 'sip';

/**
 * How a request failed. `connection`: refused, or cut before there was an answer. `told`: a problem document that says
 * who is away. `unclear`: anything else, which nothing excuses.
 */
export type Failure = 'connection' | 'told' | 'unclear';

/** A request and how it ended. Times are milliseconds of `performance`. */
export interface Entry {
  protocol: Protocol;
  /** What was asked for, as a person would say it. */
  kind: string;
  startedAt: number;
  endedAt: number;
  failure?: Failure | undefined;
  /** What the failure said of itself. */
  detail?: string | undefined;
}

/** Everything that was asked of the platform, in the order in which it ended. */
export class Journal {
  private readonly entries: Entry[] = [];
  private readonly wrongs: string[] = [];

  note(entry: Entry): void {
    this.entries.push(entry);
  }

  /** Something happened that must not happen, whatever fails. */
  complain(what: string): void {
    this.wrongs.push(what);
  }

  /** The complaints since this was asked last. */
  takeComplaints(): string[] {
    return this.wrongs.splice(0);
  }

  /** What ended since a moment. */
  since(moment: number): Entry[] {
    const after = this.entries.findLastIndex(({ endedAt }) => endedAt < moment);
    return this.entries.slice(after + 1);
  }
}

/** The time within which 99 of 100 requests were answered, in milliseconds. */
export function p99(entries: readonly Entry[]): number {
  const times = entries.map(({ startedAt, endedAt }) => endedAt - startedAt).sort((a, b) => a - b);
  return times[Math.ceil(times.length * 0.99) - 1] ?? 0;
}
