import { lookup } from 'node:dns';
import { Agent } from 'node:https';
import type { LookupFunction } from 'node:net';
import axios, { type AxiosResponse } from 'axios';
import { explain } from './probe-error.js';
import type { Deadline, Trust } from './sockets.js';

export interface HttpRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  bearer?: string;
  /** JSON when it is an object, as it is when it is a Buffer. */
  body?: object;
  /** Connects there, whatever the URL's host resolves to; the certificate must be for the URL's host all the same. */
  connectTo?: string;
}

export interface HttpAnswer {
  status: number;
  /** The server's clock, to the second (RFC 9110 §6.6.1). */
  date: Date | undefined;
  /** Parsed when it is JSON, else text. */
  body: unknown;
}

const MAX_BYTES = 4 * 1024 * 1024;

/** One HTTP request. No status is a failure. @throws ProbeError */
export async function askHttp(
  url: string,
  trust: Trust,
  deadline: Deadline,
  { method = 'GET', bearer, body, connectTo }: HttpRequest = {},
): Promise<HttpAnswer> {
  const agent = httpsAgent(trust, connectTo);
  try {
    const answer = await axios.request({
      ...{ url, method, data: body, signal: deadline, httpsAgent: agent },
      headers: bearer ? { authorization: `Bearer ${bearer}` } : {},
      maxContentLength: MAX_BYTES,
      maxRedirects: 0,
      proxy: false,
      validateStatus: () => true,
    });
    return { status: answer.status, date: dateOf(answer), body: answer.data };
  } catch (error) {
    throw explain(error);
  } finally {
    agent.destroy();
  }
}

function httpsAgent({ authorities, verify }: Trust, connectTo: string | undefined): Agent {
  const elsewhere: LookupFunction = (_, options, done) => lookup(connectTo ?? '', options, done);
  return new Agent({
    secureContext: authorities,
    rejectUnauthorized: verify,
    ...(connectTo ? { lookup: elsewhere } : {}),
  });
}

function dateOf({ headers }: AxiosResponse): Date | undefined {
  const time = Date.parse(String(headers.date));
  return Number.isNaN(time) ? undefined : new Date(time);
}
