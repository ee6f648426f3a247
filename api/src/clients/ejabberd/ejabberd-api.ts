import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import axios, { type AxiosInstance, type AxiosResponse } from 'axios';
import { NeighbourTimes } from '../../common/neighbour-times.js';
import { Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';

/** Headers that axios would add: ejabberd reads none of them, and parses each with every login. */
const ONLY_NEEDED = { accept: null, 'accept-encoding': null, 'user-agent': null };

/** Of one answer: a contact list of a hundred thousand fits. */
const MOST_BYTES = 32 * 1024 * 1024;

export type Arguments = Record<string, unknown>;

/**
 * ejabberd's admin API (mod_http_api). Every call is pinned to version 0, whose names and answers are the same
 * from 23.01 on. Arguments go in the body only: a query string would end in logs.
 */
@Injectable()
export class EjabberdApi implements OnApplicationShutdown {
  /** The domain that is served. */
  readonly host: string;
  /** How long an answer is waited for. */
  readonly timeoutMs: number;
  private readonly http: AxiosInstance;
  private readonly agents = {
    http: new HttpAgent({ keepAlive: true, maxSockets: 32 }),
    https: new HttpsAgent({ keepAlive: true, maxSockets: 32 }),
  };

  constructor(
    @Inject(CONFIG) { addresses, neighbours, ports }: Config,
    private readonly times: NeighbourTimes,
  ) {
    this.host = addresses.xmppDomain;
    this.timeoutMs = neighbours.timeoutMs;
    this.http = axios.create({
      baseURL: neighbours.ejabberdUrl || `http://127.0.0.1:${ports.xmppApi}`,
      // mod_http_api looks its options up by the Host header: it must be a served domain.
      headers: { ...ONLY_NEEDED, host: this.host, 'content-type': 'application/json' },
      httpAgent: this.agents.http,
      httpsAgent: this.agents.https,
      timeout: neighbours.timeoutMs,
      maxContentLength: MOST_BYTES,
      maxRedirects: 0,
      proxy: false,
      validateStatus: () => true,
    });
  }

  onApplicationShutdown(): void {
    this.agents.http.destroy();
    this.agents.https.destroy();
  }

  /** The answer's body, if its status is 200. @throws Problem chat_server_unavailable */
  async ok(command: string, args: Arguments): Promise<unknown> {
    const answer = await this.call(command, args);
    if (answer.status !== 200) throw this.misunderstood(command, answer);
    return answer.data;
  }

  /** The answer, whatever its status. @throws Problem chat_server_unavailable */
  async call(command: string, args: Arguments): Promise<AxiosResponse> {
    try {
      return await this.times.measure('ejabberd', command, () => this.http.post(`/api/v0/${command}`, args));
    } catch (error) {
      // The cause is left out: axios keeps the request in it, passwords included.
      const reason = axios.isAxiosError(error) ? error.code : 'unknown';
      throw new Problem('chat_server_unavailable', `ejabberd did not answer ${command} (${reason})`);
    }
  }

  misunderstood(command: string, { status, data }: AxiosResponse): Problem {
    this.times.failed('ejabberd', command);
    const code = typeof data === 'object' && data !== null && 'code' in data ? `, code ${data.code}` : '';
    return new Problem('chat_server_unavailable', `ejabberd answered ${command} with ${status}${code}`);
  }
}

export const isText = (row: unknown): row is string => typeof row === 'string';

export function isListOf<T>(answer: AxiosResponse, accepts: (row: unknown) => row is T): answer is AxiosResponse<T[]> {
  return answer.status === 200 && Array.isArray(answer.data) && answer.data.every(accepts);
}
