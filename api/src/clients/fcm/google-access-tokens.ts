import { createPrivateKey, type KeyObject } from 'node:crypto';
import { Agent } from 'node:https';
import axios, { type AxiosInstance } from 'axios';
import { SignJWT } from 'jose';
import type { Clock } from '../../common/clock.js';
import type { FcmConfig } from '../../config/push.config.js';
import { failureOf, retryAfterMs } from '../push/failures.js';
import { type Delivery, rejected, retry } from '../push/push-client.js';

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const LIFE_SECONDS = 3600;
/** A new one is asked for that long before the old one ends. */
const EARLY_MS = 300_000;
const MOST_BYTES = 64 * 1024;
const WHERE = { name: 'the token server of Google', urlSetting: 'FCM_TOKEN_URL', authoritySetting: 'FCM_CA_FILE' };

/** No token can be had: `delivery` says what becomes of the push. */
export class NoAccessToken extends Error {
  constructor(readonly delivery: Delivery) {
    super('no access token');
  }
}

export interface AccessToken {
  access_token: string;
  expires_in: number;
}

/**
 * Access tokens of a service account (RFC 7523 §2.1), kept until shortly before they end. firebase-admin would fetch
 * them too, but from a fixed address, and without a deadline.
 */
export class GoogleAccessTokens {
  private readonly http: AxiosInstance;
  private readonly agent: Agent;
  private readonly key: KeyObject;
  private token: { value: string; endsAt: number } | undefined;
  private fetching: Promise<AccessToken> | undefined;

  constructor(
    private readonly config: FcmConfig,
    private readonly clock: Clock,
    private readonly timeoutMs: number,
  ) {
    this.agent = new Agent({ keepAlive: true, ...(config.authority ? { ca: config.authority } : {}) });
    this.key = createPrivateKey(config.privateKey.reveal());
    this.http = axios.create({
      httpsAgent: this.agent,
      maxContentLength: MOST_BYTES,
      maxRedirects: 0,
      proxy: false,
      responseType: 'json',
      validateStatus: () => true,
    });
  }

  /** @throws NoAccessToken */
  get(): Promise<AccessToken> {
    const now = this.clock.milliseconds();
    if (this.token && now < this.token.endsAt - EARLY_MS) {
      const expiresIn = Math.floor((this.token.endsAt - now) / 1000);
      return Promise.resolve({ access_token: this.token.value, expires_in: expiresIn });
    }
    // Once for everybody who waits for it.
    this.fetching ??= this.fetch().finally(() => {
      this.fetching = undefined;
    });
    return this.fetching;
  }

  /** The token was refused: the next push gets another. */
  forget(): void {
    this.token = undefined;
  }

  close(): void {
    this.agent.destroy();
  }

  private async fetch(): Promise<AccessToken> {
    const form = new URLSearchParams({ grant_type: GRANT, assertion: await this.assertion() });
    const signal = AbortSignal.timeout(this.timeoutMs);
    const { status, data, headers } = await this.http
      .post<Partial<AccessToken> & { error?: unknown }>(this.config.tokenUrl, form, { signal })
      .catch((error: unknown) => {
        throw new NoAccessToken(failureOf(error, WHERE));
      });
    const { access_token, expires_in } = data ?? {};
    if (status === 200 && typeof access_token === 'string' && typeof expires_in === 'number') {
      this.token = { value: access_token, endsAt: this.clock.milliseconds() + expires_in * 1000 };
      return { access_token, expires_in };
    }
    throw new NoAccessToken(refusal(status, data?.error, retryAfterMs(headers['retry-after'], this.clock.now())));
  }

  private assertion(): Promise<string> {
    const now = this.clock.seconds();
    return new SignJWT({ scope: SCOPE })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
      .setIssuer(this.config.clientEmail)
      .setAudience(this.config.tokenUrl)
      .setIssuedAt(now)
      .setExpirationTime(now + LIFE_SECONDS)
      .sign(this.key);
  }
}

function refusal(status: number, error: unknown, afterMs: number | null): Delivery {
  const word = typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? ` ${error}` : '';
  const detail = `the token server of Google answered ${status}${word}`;
  if (status === 429 || status >= 500) return retry(detail, afterMs);
  return rejected(`${detail}: was the key in FCM_SERVICE_ACCOUNT revoked, or is the clock of this server wrong?`);
}
