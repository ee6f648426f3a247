import axios, { type AxiosResponse } from 'axios';
import { uniqueName } from './api.js';
import type { Canaries } from './canaries.js';
import type { Google } from './google.js';
import type { MailServer } from './mail-server.js';
import type { OwnApi } from './own-api.js';
import { secret } from './platform.js';

/** What the walk is with: the API and the servers that it speaks to. */
export interface Surroundings {
  api: OwnApi;
  google: Google;
  mailServer: MailServer;
  canaries: Canaries;
  invite: string;
}

/** An account on the walk, with the canaries that are its secrets. */
export class Walker {
  readonly username = uniqueName('canary');
  readonly email = `${this.username}@mail.test`;
  password: string;
  jid = '';
  token = '';
  refreshToken = '';
  sessionId = '';

  constructor(private readonly canaries: Canaries) {
    this.password = canaries.make('password');
  }

  /** The account is the one of this answer from now on. */
  take(data: { jid: string; token: string; refresh_token: string; session_id: string }): void {
    this.jid = data.jid;
    this.token = this.canaries.learn('access token', data.token);
    this.refreshToken = this.canaries.learn('refresh token', data.refresh_token);
    this.sessionId = data.session_id;
  }
}

/** What one visit needs from those before it. */
export class Walk {
  readonly alice: Walker;
  readonly bob: Walker;
  readonly carol: Walker;
  readonly idToken: string;
  groupId = '';
  deviceId = '';
  pairingCode = '';
  pairingId = '';
  readonly callId = uniqueName('call');
  endedSession = '';

  constructor(readonly around: Surroundings) {
    const { canaries, google } = around;
    this.alice = new Walker(canaries);
    this.bob = new Walker(canaries);
    this.carol = new Walker(canaries);
    this.idToken = canaries.learn('Google ID token', google.token(uniqueName('sub')));
  }

  get canaries(): Canaries {
    return this.around.canaries;
  }

  /** A session besides those that are there. */
  async login(walker: Walker): Promise<void> {
    const { username, password } = walker;
    walker.take((await this.around.api.client().post('/account/login', { username, password })).data);
  }

  /** The code in the next mail to the address. */
  async code(name: string, address: string): Promise<string> {
    return this.canaries.learn(name, await this.around.mailServer.readCode(address));
  }

  /** Asks for `METHOD /path`; no status is an exception. */
  request(operation: string, { as, internal, path = {}, query = {}, body }: Request): Promise<AxiosResponse> {
    const [method = '', template = ''] = operation.split(' ');
    const { port, internalPort } = this.around.api;
    const token = internal ? secret('internal_secret') : as?.token;
    return axios.request({
      method,
      url: template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? '')),
      baseURL: `http://127.0.0.1:${internal ? internalPort : port}`,
      headers: { ...(token ? { authorization: `Bearer ${token}` } : {}) },
      params: query,
      data: body,
      validateStatus: () => true,
      timeout: 20_000,
      proxy: false,
    });
  }
}

export interface Request {
  as?: Walker;
  internal?: true;
  path?: Record<string, string>;
  query?: Record<string, string>;
  body?: object;
}
