import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';

/** What the library keeps to itself of an answer. */
export interface Observation {
  status?: number;
  retryAfter?: string;
  stream?: ClientHttp2Stream;
}

const CREATED = 'http2.client.stream.created';
const current = new AsyncLocalStorage<Observation>();

/** Node says when a stream is made, within the call that makes it: so it is known whose it is. */
function onCreated(message: unknown): void {
  const observation = current.getStore();
  if (!observation) return;
  const { stream } = message as { stream: ClientHttp2Stream };
  observation.stream = stream;
  stream.once('response', (headers: IncomingHttpHeaders) => {
    observation.status = Number(headers[':status']);
    const after = headers['retry-after'];
    if (after !== undefined) observation.retryAfter = after;
  });
}

/** Begins to observe the streams of `observed`. @returns what ends it */
export function watchStreams(): () => void {
  subscribe(CREATED, onCreated);
  return () => unsubscribe(CREATED, onCreated);
}

/**
 * Sends one push by the library and notes what it does not tell. When there is no answer in time, the stream is given
 * up, and its connection as well: after a silence nobody knows whether anything still comes through. New pushes open
 * another, and those under way on the old one may still end.
 */
export async function observed<T>(into: Observation, withinMs: number, send: () => Promise<T>): Promise<T | 'silence'> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<'silence'>((resolve) => {
    timer = setTimeout(() => resolve('silence'), withinMs);
  });
  const ended = await Promise.race([current.run(into, send), silence]);
  clearTimeout(timer);
  if (ended === 'silence') giveUp(into.stream);
  return ended;
}

function giveUp(stream: ClientHttp2Stream | undefined): void {
  const session = stream?.session;
  if (session?.connecting) session.destroy();
  else session?.close();
  stream?.close(constants.NGHTTP2_CANCEL);
}
