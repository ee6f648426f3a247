/** As much of PostgreSQL's protocol (version 3, "Message Formats" of its manual) as tells where a request ends. */

const code = (type: string): number => type.charCodeAt(0);

const [PARSE, BIND, QUERY, SYNC] = [code('P'), code('B'), code('Q'), code('S')];
export const READY_FOR_QUERY = code('Z');

/** Whether the server answers the message, and all before it, with a ReadyForQuery. */
export const isRequestEnd = (message: Buffer): boolean => message[0] === SYNC || message[0] === QUERY;

/** Cuts a stream into messages, however it arrives. A client's first message has no type byte. */
export class MessageReader {
  private rest = Buffer.alloc(0);
  private typeLength: 0 | 1;

  constructor(
    { startsUntyped }: { startsUntyped: boolean },
    private readonly onMessage: (message: Buffer) => void,
  ) {
    this.typeLength = startsUntyped ? 0 : 1;
  }

  read(chunk: Buffer): void {
    this.rest = Buffer.concat([this.rest, chunk]);
    for (;;) {
      const header = this.typeLength + 4;
      if (this.rest.length < header) return;
      const end = this.typeLength + this.rest.readUInt32BE(this.typeLength);
      if (this.rest.length < end) return;
      const message = this.rest.subarray(0, end);
      this.rest = this.rest.subarray(end);
      this.typeLength = 1;
      this.onMessage(message);
    }
  }
}

/** Knows the SQL behind the names of a connection's prepared statements. */
export class StatementNames {
  private readonly prepared = new Map<string, string>();

  /** What a message that begins a request asks for, on one line; undefined for other messages. */
  sqlOf(message: Buffer): string | undefined {
    const [first, second] = message.toString('utf8', 5).split('\0', 2) as [string, string];
    switch (message[0]) {
      case QUERY:
        return oneLine(first);
      case PARSE:
        this.prepared.set(first, oneLine(second));
        return this.prepared.get(first);
      case BIND:
        return this.prepared.get(second);
      default:
        return undefined;
    }
  }
}

const oneLine = (sql: string): string => sql.replace(/\s+/g, ' ').trim();
