import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Notification, Provider } from '@parse/node-apn';
import { Clock } from '../../common/clock.js';
import { newId } from '../../common/ids.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { ApnsConfig } from '../../config/push.config.js';
import { failureOf, retryAfterMs, secondsLeft, silence } from '../push/failures.js';
import {
  accepted,
  type Delivery,
  PUSH_ENVIRONMENTS,
  PushClient,
  type PushEnvironment,
  type PushMessage,
  type PushTarget,
  rejected,
} from '../push/push-client.js';
import { type Asked, deliveryOf } from './apns-answers.js';
import { ApnsStreams, type Observation } from './apns-streams.js';

/** What APNs takes at most, in bytes. */
const MOST_VOIP = 5120;
const MOST_ALERT = 4096;
const TOKEN = /^[0-9a-f]{2,200}$/i;
/** Bundle ids (CFBundleIdentifier): the topic is a header. */
const BUNDLE_ID = /^[A-Za-z0-9.-]{1,155}$/;

type Library = typeof import('@parse/node-apn');

/** Its types forget that a notification makes its own text, once. */
type Compiled = Notification & { compile(): string };

const WHERE = {
  production: { name: 'APNs', urlSetting: 'APNS_URL', authoritySetting: 'APNS_CA_FILE' },
  sandbox: { name: "APNs' sandbox", urlSetting: 'APNS_SANDBOX_URL', authoritySetting: 'APNS_CA_FILE' },
};

/**
 * Hands pushes to Apple over one HTTP/2 connection for each of its two services, which is opened when it is needed and
 * again whenever it is lost. What must ring goes as a VoIP push to the VoIP token, all else to the alert token: an app
 * that is woken by a VoIP push and shows no call is ended by iOS, and soon not woken any more.
 */
@Injectable()
export class ApnsClient extends PushClient implements OnApplicationShutdown {
  readonly provider = 'apns';
  readonly missing: string | null;
  private readonly config: ApnsConfig | null;
  private readonly connections = new Map<PushEnvironment, Provider>();
  private loading: ReturnType<typeof load> | undefined;

  constructor(
    private readonly clock: Clock,
    @Inject(CONFIG) { push }: Config,
  ) {
    super();
    this.config = push.apns;
    this.missing = push.apns ? null : 'the operator has set no APNS_KEY, APNS_KEY_ID and APNS_TEAM_ID';
  }

  async deliver(target: PushTarget, message: PushMessage, withinMs: number): Promise<Delivery> {
    const token = message.rings ? target.token : target.alertToken;
    if (token === null) return rejected('the app has registered no alert_token, and a VoIP push may only ring');
    if (!TOKEN.test(token)) return rejected('what the app registered is no token of APNs: those are hexadecimal');
    if (!BUNDLE_ID.test(target.appId)) return rejected('the app_id that was registered is no bundle id');
    if (!this.config) return rejected(this.missing ?? '');
    this.loading ??= load();
    const { library, streams } = await this.loading;
    const notification = this.notificationOf(library.Notification, target.appId, message);
    const most = message.rings ? MOST_VOIP : MOST_ALERT;
    const isTooLong = Buffer.byteLength(notification.compile()) > most;
    if (isTooLong) return rejected(`it has more than the ${most} bytes that APNs takes`);
    const { environment } = target;
    const connection = this.connectionTo(environment, library, this.config);
    const observation: Observation = {};
    const send = () => connection.send(notification, token);
    const sent = await streams.observe(notification.id, observation, withinMs, send);
    if (sent === 'late') return silence(WHERE[environment].name);
    return this.deliveryOf(sent.failed[0], observation, { environment, which: message.rings ? 'token' : 'alertToken' });
  }

  async onApplicationShutdown(): Promise<void> {
    (await this.loading)?.streams.close();
    for (const connection of this.connections.values()) void connection.shutdown();
    this.connections.clear();
  }

  private deliveryOf(failure: FailureOfLibrary | undefined, observation: Observation, asked: Asked): Delivery {
    const where = WHERE[asked.environment];
    if (!failure) return accepted(`${where.name} took it`);
    const status = failure.status ?? observation.status;
    if (status === undefined) return failureOf(failure, where);
    const reason = failure.response?.reason ?? failure.error?.message ?? '';
    const afterMs = retryAfterMs(observation.retryAfter, this.clock.now());
    return deliveryOf({ status, reason, timestamp: failure.response?.timestamp, afterMs }, asked);
  }

  private connectionTo(environment: PushEnvironment, { Provider }: Library, config: ApnsConfig): Provider {
    const known = this.connections.get(environment);
    if (known) return known;
    const connection = new Provider(optionsOf(config, environment));
    this.connections.set(environment, connection);
    return connection;
  }

  private notificationOf(Kind: Library['Notification'], appId: string, message: PushMessage): Compiled {
    const { rings, shown, urgent, topic, expiresAt, data } = message;
    const notification = new Kind() as Compiled;
    notification.id = newId();
    // A background push may not have a higher priority.
    const isBackground = !rings && (shown === null || !urgent);
    notification.topic = rings ? `${appId}.voip` : appId;
    notification.pushType = rings ? 'voip' : isBackground ? 'background' : 'alert';
    notification.priority = isBackground ? 5 : 10;
    // 0: now or never. A call that is delivered late has long ended.
    notification.expiry = rings ? 0 : this.clock.seconds() + secondsLeft(expiresAt, this.clock.now());
    if (topic !== null) notification.collapseId = topic;
    notification.payload = data;
    if (isBackground) notification.contentAvailable = true;
    else if (!rings && shown !== null) show(notification, shown);
    return notification;
  }
}

/** When the first push is sent: it takes a tenth of the API's start. */
async function load(): Promise<{ library: Library; streams: ApnsStreams }> {
  return { library: await import('@parse/node-apn'), streams: new ApnsStreams() };
}

/** The app may put something better in its place (UNNotificationServiceExtension). */
function show(notification: Notification, text: string): void {
  notification.aps.alert = { body: text, 'loc-key': text };
  notification.sound = 'default';
  notification.mutableContent = true;
}

/** As it comes at runtime: its types promise more. */
interface FailureOfLibrary {
  status?: number | undefined;
  response?: { reason?: string; timestamp?: unknown } | undefined;
  error?: Error | undefined;
}

function optionsOf({ key, keyId, teamId, urls, authority }: ApnsConfig, environment: PushEnvironment) {
  const { hostname, port } = urls[environment];
  return {
    token: { key: Buffer.from(key.reveal()), keyId, teamId },
    address: hostname,
    port: Number(port || 443),
    production: environment === PUSH_ENVIRONMENTS[0],
    ...(authority ? { ca: [Buffer.from(authority)] } : {}),
    // Whoever sends has a deadline and knows when to try again; the library would at once, three times.
    connectionRetryLimit: 0,
    // The deadline of each attempt is our own.
    requestTimeout: 60_000,
  };
}
