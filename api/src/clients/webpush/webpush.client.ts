import { Agent } from 'node:https';
import { isIP } from 'node:net';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import axios, { type AxiosInstance, type AxiosResponse } from 'axios';
import type { PushSubscription, RequestDetails } from 'web-push';
import { Clock } from '../../common/clock.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { WebPushConfig } from '../../config/push.config.js';
import { codeOf, failureOf, retryAfterMs, secondsLeft, silence } from '../push/failures.js';
import {
  accepted,
  type Delivery,
  PushClient,
  type PushMessage,
  type PushTarget,
  rejected,
  retry,
} from '../push/push-client.js';
import { PublicAddresses } from './public-addresses.js';

/** What every service takes (RFC 8030 §7.2), encrypted, in bytes. */
const MOST_BYTES = 4096;
const MOST_ANSWER = 16 * 1024;
const SOCKETS = 64;
const WHERE = { name: 'the web push service', urlSetting: 'the endpoint', authoritySetting: 'WEBPUSH_CA_FILE' };

type Library = typeof import('web-push');

/**
 * Hands pushes to the services of browsers and of UnifiedPush distributors (RFC 8030), encrypted for the device alone
 * (RFC 8291) and signed by this server (VAPID, RFC 8292). Devices name the service: by HTTPS and at public addresses.
 */
@Injectable()
export class WebPushClient extends PushClient implements OnApplicationShutdown {
  readonly provider = 'webpush';
  readonly missing: string | null;
  private readonly config: WebPushConfig | null;
  private readonly subject: string;
  private readonly addresses: PublicAddresses;
  private readonly agent: Agent;
  private readonly http: AxiosInstance;
  private loading: Promise<{ default: Library }> | undefined;

  constructor(
    private readonly clock: Clock,
    @Inject(CONFIG) { push, addresses }: Config,
  ) {
    super();
    this.config = push.webpush;
    this.missing = push.webpush ? null : 'the operator has set no VAPID_PRIVATE_KEY';
    this.subject = push.webpush?.subject || `https://${addresses.xmppDomain}`;
    this.addresses = new PublicAddresses(push.webpush?.privateNetworks ?? []);
    const { lookup } = this.addresses;
    const ca = push.webpush?.authority;
    this.agent = new Agent({ keepAlive: true, maxSockets: SOCKETS, lookup, ...(ca ? { ca } : {}) });
    this.http = httpOf(this.agent);
  }

  async deliver({ token, keys }: PushTarget, message: PushMessage, withinMs: number): Promise<Delivery> {
    if (!this.config || !keys) return rejected(this.missing ?? 'the app has registered no keys');
    const refusal = this.refusalOf(token);
    if (refusal) return rejected(refusal);
    const request = await this.requestOf(this.config, { endpoint: token, keys }, message);
    if (typeof request === 'string') return rejected(request);
    const signal = AbortSignal.timeout(withinMs);
    try {
      const { headers } = request;
      return this.deliveryOf(await this.http.post(token, request.body, { headers: { ...headers }, signal }));
    } catch (error) {
      if (signal.aborted) return silence(WHERE.name);
      if (codeOf(error) === 'EFORBIDDENADDRESS') return rejected(FORBIDDEN);
      return failureOf(error, WHERE);
    }
  }

  onApplicationShutdown(): void {
    this.agent.destroy();
  }

  /** Names are looked at when they are resolved; an address in their place is not resolved. */
  private refusalOf(endpoint: string): string | null {
    const url = URL.canParse(endpoint) ? new URL(endpoint) : null;
    if (url?.protocol !== 'https:') return 'the endpoint that was registered is no HTTPS URL';
    const host = url.hostname.replace(/^\[|\]$/g, '');
    return isIP(host) !== 0 && !this.addresses.includes(host) ? FORBIDDEN : null;
  }

  /** The request, or why there can't be any. */
  private async requestOf(
    { privateKey, publicKey }: WebPushConfig,
    subscription: PushSubscription,
    { data, urgent, topic, expiresAt }: PushMessage,
  ): Promise<RequestDetails | string> {
    this.loading ??= import('web-push');
    const { default: library } = await this.loading;
    const details = {
      vapidDetails: { subject: this.subject, publicKey, privateKey: privateKey.reveal() },
      TTL: secondsLeft(expiresAt, this.clock.now()),
      urgency: urgent ? ('high' as const) : ('low' as const),
      ...(topic === null ? {} : { topic }),
    };
    try {
      const request = library.generateRequestDetails(subscription, JSON.stringify(data), details);
      const isTooLong = (request.body?.length ?? 0) > MOST_BYTES;
      return isTooLong ? `it has more than the ${MOST_BYTES} bytes that web push services take` : request;
    } catch {
      return 'the keys that the app registered are none';
    }
  }

  private deliveryOf({ status, headers }: AxiosResponse): Delivery {
    if (status >= 200 && status < 300) return accepted(`the web push service answered ${status}`);
    const detail = `the web push service answered ${status}${REMEDIES[status] ?? ''}`;
    if (status === 404 || status === 410) return { result: 'unregistered', detail, which: 'token', at: null };
    if (status !== 429 && status < 500) return rejected(detail);
    return retry(detail, retryAfterMs(headers['retry-after'], this.clock.now()));
  }
}

const FORBIDDEN =
  'the endpoint that was registered is at no public address: WEBPUSH_PRIVATE_NETWORKS says which others may be';

const REMEDIES: Record<number, string> = {
  400: ': it did not understand the request; is VAPID_SUBJECT an address of yours?',
  401: ': the subscription is for another server, or was made before VAPID_PRIVATE_KEY changed: the app must subscribe anew',
  403: ': the subscription is for another server, or was made before VAPID_PRIVATE_KEY changed: the app must subscribe anew',
  404: ': the subscription is gone, and the app must subscribe anew',
  410: ': the subscription is gone, and the app must subscribe anew',
  413: ': it has more bytes than the service takes',
};

const httpOf = (httpsAgent: Agent): AxiosInstance =>
  axios.create({
    httpsAgent,
    maxContentLength: MOST_ANSWER,
    // A redirect would lead past what was looked at.
    maxRedirects: 0,
    proxy: false,
    responseType: 'text',
    validateStatus: () => true,
  });
