import { Agent } from 'node:http';
import axios, { type AxiosInstance, type AxiosResponse } from 'axios';
import { platform } from '../support/platform.js';
import type { Failure, Journal } from './journal.js';

/** Silence for longer than this is no answer at all: whatever is away, the API has given up on it before. */
const ANSWER_WITHIN_MS = 20_000;
const ASK_AGAIN_MS = 20;

/** The problems that say that something is away or at work, and that the request may be repeated. */
const TOLD = /^(database_unavailable|chat_server_unavailable|call_server_unavailable|account_busy|group_busy)$/;

/** How a request ended: `done`, refused with a reason that is the client's to understand, or nobody knows. */
export type Outcome = { done: AxiosResponse } | { refused: string } | { unknown: true };

/** The API as an ordinary client uses it: over connections that it keeps. */
export class Rest {
  private readonly agent = new Agent({ keepAlive: true });
  private readonly http: AxiosInstance;
  /** Whether a refused connection is tried again: nothing was asked yet. */
  patient = false;

  constructor(private readonly journal: Journal) {
    this.http = axios.create({
      baseURL: `http://${platform.host}:${platform.ports.api}/api/v1`,
      httpAgent: this.agent,
      proxy: false,
      timeout: ANSWER_WITHIN_MS,
      validateStatus: () => true,
    });
  }

  close(): void {
    this.agent.destroy();
  }

  /** @param kind what is asked for, for the journal */
  async ask(kind: string, method: string, path: string, token?: string, body?: object): Promise<Outcome> {
    const startedAt = performance.now();
    const headers = token ? { authorization: `Bearer ${token}` } : {};
    const answer = await this.answerTo({ method, url: path, headers, data: body });
    const { outcome, failure, detail } = read(answer);
    this.journal.note({ protocol: 'rest', kind, startedAt, endedAt: performance.now(), failure, detail });
    return outcome;
  }

  private async answerTo(request: object): Promise<AxiosResponse | NodeJS.ErrnoException> {
    for (;;) {
      const answer = await this.http.request(request).catch((error: NodeJS.ErrnoException) => error);
      if (!(answer instanceof Error && answer.code === 'ECONNREFUSED' && this.patient)) return answer;
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    }
  }
}

interface Reading {
  outcome: Outcome;
  failure?: Failure;
  detail?: string;
}

function read(answer: AxiosResponse | NodeJS.ErrnoException): Reading {
  if (answer instanceof Error) {
    // axios calls its own deadline ECONNABORTED.
    const failure = answer.code === 'ECONNABORTED' ? 'unclear' : 'connection';
    return { outcome: { unknown: true }, failure, detail: answer.code ?? answer.message };
  }
  if (answer.status < 300) return { outcome: { done: answer } };
  const { code } = answer.data ?? {};
  const problem = String(answer.headers['content-type']).startsWith('application/problem+json');
  const detail = `${answer.status} ${code ?? JSON.stringify(answer.data)}`;
  if (problem && TOLD.test(code)) return { outcome: { unknown: true }, failure: 'told', detail };
  if (problem && answer.status < 500) return { outcome: { refused: code } };
  return { outcome: { unknown: true }, failure: 'unclear', detail };
}
