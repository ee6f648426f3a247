import { Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { RedisClientType } from '@redis/client';
import type { Metrics } from '../common/metrics.js';
import type { Secret } from '../common/secret.js';
import { Bus } from './bus.js';

/** How often each process says that it is there, to itself as well. */
const BEAT_MS = 1000;
/** Who has not been heard of for so long is gone; of oneself: the bus is. */
const SILENCE_MS = 5000;
const RECONNECT_MS = 500;
/** A connection on which nothing moves for so long, though each process says something all the time, is dead. */
const DEAD_MS = 10_000;
/** What could not be published is made up for no more often: all of it is said again, which must not be what fills the queue. */
const HEAL_MS = 5000;
/** Messages that may wait for a server that takes none. */
const MOST_WAITING = 10_000;

const BEAT = 'beat';
const BYE = 'bye';

interface Connections {
  readonly publisher: RedisClientType;
  readonly subscriber: RedisClientType;
}

/**
 * The bus of several processes: publish and subscribe of Valkey or Redis, one connection for each. It keeps nothing there.
 * That the bus works is known by hearing oneself: whatever it is that does not, what is said is then not heard.
 */
export class ValkeyBus extends Bus implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('bus');
  private readonly heardOf = new Map<string, number>();
  private connections: Connections | undefined;
  private timer: NodeJS.Timeout | undefined;
  private works = false;
  /** Messages may have been missed, here or by others, since the last time that this process heard itself. */
  private missed = true;
  /** Something could not be published. */
  private unsaid = false;
  private healsAt = 0;
  /** Since when this process has heard itself without a gap. */
  private wholeSince = 0;
  /** How many others there were when all could last be heard. */
  private others = 1;

  /** @param domain whose processes these are: others may use the same server */
  constructor(
    private readonly url: Secret,
    private readonly domain: string,
    private readonly background: boolean,
    metrics: Metrics,
  ) {
    super();
    metrics.gauge('bus_connected', 'Whether processes hear each other', () => Number(this.connected));
    metrics.gauge('bus_peers', 'Other processes that are heard of', () => this.heardOf.size - Number(this.works));
  }

  /** A server that is killed ends its connections: that is known sooner than that nothing is heard. */
  get connected(): boolean {
    const { publisher, subscriber } = this.connections ?? {};
    return this.works && !this.missed && publisher?.isReady === true && subscriber?.isReady === true;
  }

  get parts(): number {
    return this.connected && this.heardOf.size > this.others ? 1 : this.others + 1;
  }

  /** The command line keeps no connection: it opens one and asks. */
  override ping(): Promise<void> {
    return this.background ? super.ping() : this.ask();
  }

  publish(topic: string, message: string): boolean {
    return this.works && this.say(this.channel, topic, message);
  }

  send(peer: string, topic: string, message: string): boolean {
    return this.works && this.say(this.channelOf(peer), topic, message);
  }

  /** The server may be away: whoever starts does not wait for it. */
  async onApplicationBootstrap(): Promise<void> {
    if (!this.background) return;
    this.connections = await this.connect();
    this.timer = setInterval(() => this.beat(), BEAT_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    const { publisher, subscriber } = this.connections ?? {};
    if (this.works) await publisher?.publish(this.channel, this.envelope(BYE, '')).catch(ignore);
    subscriber?.destroy();
    publisher?.destroy();
  }

  private async connect(): Promise<Connections> {
    const publisher = await this.client(RECONNECT_MS);
    const subscriber = publisher.duplicate();
    subscriber.on('error', ignore);
    for (const client of [publisher, subscriber]) {
      client.on('ready', () => {
        this.missed = true;
      });
      client.connect().catch(ignore);
    }
    this.listen(subscriber);
    return { publisher, subscriber };
  }

  private async ask(): Promise<void> {
    const client = await this.client(false);
    try {
      await client.connect();
      await client.ping();
    } finally {
      client.destroy();
    }
  }

  /** @param pause until it connects again, in milliseconds; false: never */
  private async client(pause: number | false): Promise<RedisClientType> {
    // Loaded where it is used: most servers have one process.
    const { createClient } = await import('@redis/client');
    const client = createClient({
      url: this.url.reveal(),
      name: 'veil-api',
      disableOfflineQueue: true,
      commandsQueueMaxLength: MOST_WAITING,
      socket: { reconnectStrategy: pause, connectTimeout: SILENCE_MS, socketTimeout: DEAD_MS },
    }) as RedisClientType;
    // Each attempt of many tells the same.
    client.on('error', ignore);
    return client;
  }

  /** Once it is subscribed, the client sees to it that it stays so. */
  private listen(subscriber: RedisClientType): void {
    const channels = [this.channel, this.channelOf(this.self)];
    const subscribe = (): void => {
      const done = subscriber.subscribe(channels, (text) => this.hear(text));
      done.then(() => subscriber.off('ready', subscribe), ignore);
    };
    subscriber.on('ready', subscribe);
  }

  private beat(): void {
    const now = performance.now();
    // What this process could not say it says once more as a whole, with its next sign of life.
    if (this.unsaid && now >= this.healsAt) {
      [this.unsaid, this.missed, this.healsAt] = [false, true, now + HEAL_MS];
    }
    this.say(this.channel, BEAT, '');
    for (const [peer, at] of this.heardOf) if (now - at > SILENCE_MS) this.lose(peer);
  }

  private lose(peer: string): void {
    this.heardOf.delete(peer);
    if (peer !== this.self) {
      this.tellOfLoss(peer);
      return;
    }
    this.works = false;
    this.missed = true;
    this.logger.warn('Valkey does not answer: processes do not hear each other');
  }

  private hear(text: string): void {
    const [from = '', topic = ''] = text.split('\n', 2);
    if (topic === BYE) {
      if (from !== this.self) this.lose(from);
      return;
    }
    this.heardOf.set(from, performance.now());
    if (from === this.self) this.hearSelf();
    else if (topic !== BEAT) this.deliver(topic, text.slice(from.length + topic.length + 2), from);
  }

  private hearSelf(): void {
    if (!this.works) this.logger.log('processes hear each other');
    this.works = true;
    this.countOthers();
    if (!this.missed) return;
    this.missed = false;
    this.tellOfGap();
  }

  /** Who is not there at once after a gap may still come: fewer are believed when the time for that is over. */
  private countOthers(): void {
    const now = performance.now();
    if (this.missed) this.wholeSince = now;
    const heard = this.heardOf.size - 1;
    if (heard > this.others || now - this.wholeSince > SILENCE_MS) this.others = heard;
  }

  private say(channel: string, topic: string, message: string): boolean {
    const { publisher } = this.connections ?? {};
    if (!publisher?.isReady) return false;
    publisher.publish(channel, this.envelope(topic, message)).catch(() => {
      this.unsaid = true;
    });
    return true;
  }

  private envelope(topic: string, message: string): string {
    return `${this.self}\n${topic}\n${message}`;
  }

  private get channel(): string {
    return `veil:${this.domain}`;
  }

  private channelOf(peer: string): string {
    return `veil:${this.domain}:${peer}`;
  }
}

/** What is lost is lost: a message is a hint. */
const ignore = (): void => {};
