import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';

/** The one request of a send of firebase-admin, as it was on the wire. */
export interface Attempt {
  request?: ClientRequest;
  status?: number;
  retryAfter?: string;
  error?: Error;
}

const CREATED = 'http.client.request.created';
const current = new AsyncLocalStorage<Attempt>();

/**
 * Runs a send of firebase-admin, notes its request in `attempt`, and lets it make no other: the library repeats requests
 * for seconds on its own and knows no deadline, so that a call would ring long after it has ended.
 */
export const asAttempt = <T>(attempt: Attempt, send: () => Promise<T>): Promise<T> => current.run(attempt, send);

/** Begins to watch the requests of `asAttempt`. @returns what ends it */
export function watchRequests(): () => void {
  subscribe(CREATED, onCreated);
  return () => unsubscribe(CREATED, onCreated);
}

/** Gives a request up; the library takes that for final. */
export const giveUp = (request: ClientRequest | undefined): void => {
  request?.destroy(Object.assign(new Error('no further attempt'), { code: 'ENOATTEMPT' }));
};

/** Node says when a request is made, within the call that makes it: so it is known whose it is. */
function onCreated(message: unknown): void {
  const attempt = current.getStore();
  if (!attempt) return;
  const { request } = message as { request: ClientRequest };
  if (attempt.request) giveUp(request);
  else note(attempt, request);
}

function note(attempt: Attempt, request: ClientRequest): void {
  attempt.request = request;
  request.once('error', (error) => {
    attempt.error = error;
  });
  request.prependOnceListener('response', (response: IncomingMessage) => {
    attempt.status = response.statusCode ?? 0;
    const after = response.headers['retry-after'];
    if (after !== undefined) attempt.retryAfter = after;
    // Else the library would wait that long before it learns that it may not try again.
    delete response.headers['retry-after'];
  });
}
