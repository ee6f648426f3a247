import { Agent } from 'node:https';
import { connect as connectTls } from 'node:tls';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { App } from 'firebase-admin/app';
import type { Messaging, TokenMessage } from 'firebase-admin/messaging';
import { Clock } from '../../common/clock.js';
import { newId } from '../../common/ids.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { FcmConfig } from '../../config/push.config.js';
import { failureOf, retryAfterMs, secondsLeft, silence } from '../push/failures.js';
import {
  accepted,
  type Delivery,
  PushClient,
  type PushMessage,
  type PushTarget,
  rejected,
  retry,
} from '../push/push-client.js';
import { within } from '../push/within.js';
import { GoogleAccessTokens, NoAccessToken } from './google-access-tokens.js';
import { type Attempt, asAttempt, giveUp, watchRequests } from './one-attempt.js';

/** What FCM takes at most of data, in bytes. */
const MOST_DATA = 4096;
/** So many requests at a time; the library would open a connection for each. */
const SOCKETS = 64;
const WHERE = { name: 'FCM', urlSetting: 'FCM_URL', authoritySetting: 'FCM_CA_FILE' };

interface Connection {
  app: App;
  messaging: Messaging;
  tokens: GoogleAccessTokens;
  agent: Agent;
  stopWatching: () => void;
}

/** Hands pushes to Google by the HTTP v1 API of FCM: data only, so that the app itself decides what is shown. */
@Injectable()
export class FcmClient extends PushClient implements OnApplicationShutdown {
  readonly provider = 'fcm';
  readonly missing: string | null;
  private readonly config: FcmConfig | null;
  private readonly timeoutMs: number;
  private connecting: Promise<Connection> | undefined;

  constructor(
    private readonly clock: Clock,
    @Inject(CONFIG) { push, neighbours }: Config,
  ) {
    super();
    this.config = push.fcm;
    this.timeoutMs = neighbours.timeoutMs;
    this.missing = push.fcm ? null : 'the operator has set no FCM_SERVICE_ACCOUNT';
  }

  async deliver(target: PushTarget, message: PushMessage, withinMs: number): Promise<Delivery> {
    if (!this.config) return rejected(this.missing ?? '');
    if (Buffer.byteLength(JSON.stringify(message.data)) > MOST_DATA) {
      return rejected(`it has more than the ${MOST_DATA} bytes that FCM takes`);
    }
    this.connecting ??= connect(this.config, this.clock, this.timeoutMs);
    const attempt: Attempt = {};
    const send = this.send(await this.connecting, this.formOf(target.token, message), attempt);
    const ended = await within(withinMs, send);
    if (ended !== 'late') return ended;
    giveUp(attempt.request);
    return silence('FCM');
  }

  async onApplicationShutdown(): Promise<void> {
    const connection = await this.connecting;
    connection?.stopWatching();
    connection?.agent.destroy();
    connection?.tokens.close();
  }

  private async send({ messaging, tokens }: Connection, form: TokenMessage, attempt: Attempt): Promise<Delivery> {
    try {
      await tokens.get();
      await asAttempt(attempt, () => messaging.send(form));
      return accepted('FCM took it');
    } catch (error) {
      if (error instanceof NoAccessToken) return error.delivery;
      if (attempt.status === 401) tokens.forget();
      return this.deliveryOf(error, attempt);
    }
  }

  private deliveryOf(error: unknown, { status, retryAfter, error: atFirst }: Attempt): Delivery {
    if (status === undefined) return failureOf(atFirst ?? error, WHERE);
    const code = errorCodeOf(error);
    const detail = `FCM answered ${status}${code && ` ${code}`}${REMEDIES[code] ?? ''}`;
    if (code === 'UNREGISTERED' && status === 404) return { result: 'unregistered', detail, which: 'token', at: null };
    if (status === 429 || status >= 500) return retry(detail, retryAfterMs(retryAfter, this.clock.now()));
    // The access token was refused, and the next attempt has another.
    return status === 401 ? retry(`${detail}: the access token was refused`) : rejected(detail);
  }

  private formOf(token: string, { data, urgent, topic, expiresAt }: PushMessage): TokenMessage {
    const ttl = secondsLeft(expiresAt, this.clock.now()) * 1000;
    const collapse = topic === null ? {} : { collapseKey: topic };
    return { token, data, android: { priority: urgent ? 'high' : 'normal', ttl, ...collapse } };
  }
}

/** What to look at, for codes that somebody can do something about. */
const REMEDIES: Record<string, string> = {
  UNREGISTERED: ': the app is not installed any more, or has a new token that it must register',
  SENDER_ID_MISMATCH: ': the token is of an app of another Firebase project than FCM_SERVICE_ACCOUNT',
  INVALID_ARGUMENT: ': what the app registered is no token of FCM',
  PERMISSION_DENIED: ': the service account may not use FCM, or its API is not enabled in the project',
  THIRD_PARTY_AUTH_ERROR: ': the Firebase project lacks the credentials for the platform of this token',
};

interface FcmError {
  error?: { status?: unknown; details?: { errorCode?: unknown }[] };
}

/** FcmError.errorCode where FCM gives one, else the status of the API. */
function errorCodeOf(error: unknown): string {
  const { httpResponse } = error as { httpResponse?: { data?: FcmError } };
  const answer = httpResponse?.data?.error;
  const details = Array.isArray(answer?.details) ? answer.details : [];
  const code = details.find(({ errorCode }) => typeof errorCode === 'string')?.errorCode ?? answer?.status;
  return typeof code === 'string' && /^[A-Z_]{1,64}$/.test(code) ? code : '';
}

/** Leads firebase-admin, which knows one address, to the one of the settings. */
class FcmAgent extends Agent {
  constructor(private readonly config: FcmConfig) {
    super({ keepAlive: true, maxSockets: SOCKETS });
  }

  override createConnection() {
    const { url, authority } = this.config;
    const host = url.hostname;
    return connectTls({
      host,
      port: Number(url.port || 443),
      servername: host,
      ...(authority ? { ca: authority } : {}),
    });
  }
}

async function connect(config: FcmConfig, clock: Clock, timeoutMs: number): Promise<Connection> {
  // Loaded when the first push is sent: it takes a tenth of the API's start.
  const [{ initializeApp }, { getMessaging }] = await Promise.all([
    import('firebase-admin/app'),
    import('firebase-admin/messaging'),
  ]);
  const tokens = new GoogleAccessTokens(config, clock, timeoutMs);
  const agent = new FcmAgent(config);
  // Told that each has ended, the library asks for every push: it would keep one that was refused.
  const credential = { getAccessToken: async () => ({ ...(await tokens.get()), expires_in: 0 }) };
  const app = initializeApp({ credential, projectId: config.projectId, httpAgent: agent }, newId());
  return { app, messaging: getMessaging(app), tokens, agent, stopWatching: watchRequests() };
}
