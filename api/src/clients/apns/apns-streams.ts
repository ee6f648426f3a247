import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type ClientHttp2Stream, constants, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { within } from '../push/within.js';

/** What the library keeps to itself of an answer. */
export interface Observation {
  status?: number;
  retryAfter?: string;
  stream?: ClientHttp2Stream;
}

const CREATED = 'http2.client.stream.created';

/**
 * Observes the streams of pushes on the way, of which each has an `apns-id` of its own: Node says when a stream is made, and
 * with which headers. An AsyncLocalStorage would know whose it is as well, but costs a fifth of the speed.
 */
export class ApnsStreams {
  private readonly expected = new Map<string, Observation>();

  constructor() {
    subscribe(CREATED, this.note);
  }

  close(): void {
    unsubscribe(CREATED, this.note);
  }

  /**
   * Sends one push by the library and notes what it does not tell. When there is no answer in time, the stream is given
   * up, and its connection as well: after a silence nobody knows whether anything still comes through. New pushes open
   * another, and those under way on the old one may still end.
   */
  async observe<T>(id: string, into: Observation, withinMs: number, send: () => Promise<T>): Promise<T | 'late'> {
    this.expected.set(id, into);
    try {
      const ended = await within(withinMs, send());
      if (ended === 'late') giveUp(into.stream);
      return ended;
    } finally {
      this.expected.delete(id);
    }
  }

  private readonly note = (message: unknown): void => {
    const { stream, headers } = message as { stream: ClientHttp2Stream; headers: OutgoingHttpHeaders };
    const observation = this.expected.get(String(headers['apns-id']));
    if (!observation) return;
    observation.stream = stream;
    stream.once('response', (answer: IncomingHttpHeaders) => {
      observation.status = Number(answer[':status']);
      const after = answer['retry-after'];
      if (after !== undefined) observation.retryAfter = after;
    });
  };
}

function giveUp(stream: ClientHttp2Stream | undefined): void {
  const session = stream?.session;
  if (session?.connecting) session.destroy();
  else session?.close();
  stream?.close(constants.NGHTTP2_CANCEL);
}
