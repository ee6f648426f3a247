import { randomBytes } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { askHttp, type HttpAnswer } from '../../../clients/probes/http.probe.js';
import { ProbeError } from '../../../clients/probes/probe-error.js';
import type { Deadline } from '../../../clients/probes/sockets.js';
import type { TurnCredentials } from '../../../clients/probes/turn-session.js';

/** A throw-away account. Nothing of it is ever printed but its name. */
export interface Guest {
  username: string;
  password: string;
}

/** Who makes and removes throw-away accounts. */
export interface Lodging {
  /** A name that nobody has, and a password. */
  newGuest(): Guest;
  /** Says how it was done. @throws ProbeError; the account may exist all the same */
  admit(guest: Guest, deadline: Deadline): Promise<string>;
  /** Removes the account; one that does not exist is fine. `going`: the server has still to finish. @throws ProbeError */
  dismiss(guest: Guest, deadline: Deadline): Promise<'gone' | 'going'>;
}

/** TURN credentials, and where they are good (RFC 7065). */
export interface TurnOffer extends TurnCredentials {
  uris: string[];
}

/** The API does not take in new accounts, or not from here: by its rules, not by mistake. */
export class NotAdmitted extends ProbeError {
  constructor(message: string) {
    super('rejected', message);
  }
}

const AWAKE_MS = 2000;
const CREATED = 201;
const WRONG_CREDENTIALS = 401;
const FORBIDDEN = 403;
const TOO_MANY = 429;

/** The API, as an app uses it. Its certificate must be right, since secrets are sent. */
export class ApiClient implements Lodging {
  constructor(
    private readonly apiUrl: string,
    private readonly authorities: SecureContext,
  ) {}

  newGuest(): Guest {
    return { username: `doctor_${randomBytes(6).toString('hex')}`, password: randomBytes(18).toString('base64url') };
  }

  /** Whether it answers at all, and at once. */
  async isAwake(deadline: Deadline): Promise<boolean> {
    const soon = AbortSignal.any([deadline, AbortSignal.timeout(AWAKE_MS)]);
    return this.ask('GET', '/server/info', soon).then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  async admit(guest: Guest, deadline: Deadline): Promise<string> {
    const answer = await this.ask('POST', '/account/register', deadline, guest);
    if (answer.status === CREATED) return 'by the API';
    if (answer.status === FORBIDDEN || answer.status === TOO_MANY) throw new NotAdmitted(refusalOf(answer));
    throw new ProbeError('rejected', refusalOf(answer));
  }

  async dismiss(guest: Guest, deadline: Deadline): Promise<'gone' | 'going'> {
    const login = await this.ask('POST', '/account/login', deadline, guest);
    if (login.status === WRONG_CREDENTIALS) return 'gone';
    const body = { jid: textIn(login, 'jid'), password: guest.password };
    const answer = await this.ask('DELETE', '/account', deadline, body, textIn(login, 'token'));
    if (answer.status !== 200 && answer.status !== 202) throw new ProbeError('rejected', refusalOf(answer));
    return answer.status === 200 ? 'gone' : 'going';
  }

  /** @returns a token @throws ProbeError */
  async logIn(guest: Guest, deadline: Deadline): Promise<string> {
    return textIn(await this.ask('POST', '/account/login', deadline, guest), 'token');
  }

  /** @throws ProbeError */
  async turnOffer(token: string, deadline: Deadline): Promise<TurnOffer> {
    const answer = await this.ask('GET', '/turn/credentials', deadline, undefined, token);
    const { uris } = answer.body as Partial<TurnOffer>;
    if (!Array.isArray(uris)) throw new ProbeError('unexpected', refusalOf(answer));
    return { username: textIn(answer, 'username'), password: textIn(answer, 'password'), uris: uris.map(String) };
  }

  private ask(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    deadline: Deadline,
    body?: object,
    bearer?: string,
  ): Promise<HttpAnswer> {
    const trust = { authorities: this.authorities, verify: true };
    return askHttp(`${this.apiUrl}/api/v1${path}`, trust, deadline, {
      method,
      ...(body ? { body } : {}),
      ...(bearer ? { bearer } : {}),
    });
  }
}

/** @throws ProbeError when the answer is a refusal, or has no such text */
function textIn(answer: HttpAnswer, name: string): string {
  const { body } = answer;
  const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined;
  if (answer.status === 200 && typeof value === 'string') return value;
  throw new ProbeError('rejected', refusalOf(answer));
}

/** What the API says of a refusal (RFC 9457): its code, which never holds what was sent. */
function refusalOf({ status, body }: HttpAnswer): string {
  const code = typeof body === 'object' && body !== null && 'code' in body ? ` ${body.code}` : '';
  return `the API answered ${status}${code}`;
}
