/** What PostgreSQL says when it ends a connection. */
export interface LastWords {
  /** SQLSTATE. */
  code: string;
  message: string;
  /** What of the chunk came before. */
  before: Buffer;
}

const ERROR_RESPONSE = 'E'.charCodeAt(0);
/** The type byte and the length, which counts itself and the rest. */
const HEADER = 5;
const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Finds the message with which PostgreSQL ends a connection, in a stream that arrives in any pieces (its manual,
 * "Message Formats" and "Error and Notice Message Fields").
 */
export class LastWordsReader {
  /** The beginning of a header or of an error whose rest is still to come. */
  private kept = NOTHING;
  /** How much is still to come of a message that does not matter. */
  private skip = 0;

  /** @returns undefined as long as the connection goes on */
  read(chunk: Buffer): LastWords | undefined {
    const bytes = this.kept.length > 0 ? Buffer.concat([this.kept, chunk]) : chunk;
    let at = Math.min(this.skip, bytes.length);
    this.skip -= at;
    while (at + HEADER <= bytes.length) {
      const end = at + 1 + bytes.readUInt32BE(at + 1);
      if (bytes[at] === ERROR_RESPONSE) {
        if (end > bytes.length) break;
        const said = lastWordsIn(bytes.toString('utf8', at + HEADER, end));
        if (said) return { ...said, before: chunk.subarray(0, Math.max(0, at - this.kept.length)) };
      }
      this.skip = Math.max(0, end - bytes.length);
      at = Math.min(end, bytes.length);
    }
    this.kept = at < bytes.length ? bytes.subarray(at) : NOTHING;
    return undefined;
  }
}

/** Of an error's fields: each is a letter and a text, and ends with a NUL. */
function lastWordsIn(error: string): { code: string; message: string } | undefined {
  const fields = new Map(error.split('\0').map((field) => [field.charAt(0), field.slice(1)]));
  const isLast = /^(FATAL|PANIC)$/.test(fields.get('V') ?? '');
  return isLast ? { code: fields.get('C') ?? '', message: fields.get('M') ?? '' } : undefined;
}
