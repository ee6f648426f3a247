import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import axios, { type AxiosInstance } from 'axios';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { Clock } from '../../common/clock.js';
import { NeighbourTimes } from '../../common/neighbour-times.js';
import { Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';

type FindKey = ReturnType<typeof createLocalJWKSet>;

/** How long keys are used without looking for newer ones; Google changes them every few days. */
const FRESH_MS = 3_600_000;
/** How long they are used when newer ones can't be had. */
const USABLE_MS = 24 * 3_600_000;
/** When newer ones are asked for again after a failure. */
const RETRY_MS = 10_000;
/** So often a minute a key that is not known is looked for: anybody can make up names of keys. */
const LOOKUPS_PER_MINUTE = 6;
const MOST_BYTES = 256 * 1024;

const unavailable = (reason: string): Problem =>
  new Problem('identity_provider_unavailable', `the keys of Google can't be had: ${reason}`, { retryAfterSeconds: 10 });

/** The keys with which Google signs ID tokens (a JWK set, RFC 7517 §5), kept in memory. */
@Injectable()
export class GoogleKeys implements OnApplicationShutdown {
  private readonly logger = new Logger('google');
  private readonly http: AxiosInstance;
  private readonly timeoutMs: number;
  private readonly agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) };
  private find: FindKey | undefined;
  private fetchedAt = 0;
  private fetchNextAt = 0;
  private lookups: number[] = [];
  private fetching: Promise<FindKey> | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly times: NeighbourTimes,
    @Inject(CONFIG) { google, neighbours }: Config,
  ) {
    this.timeoutMs = neighbours.timeoutMs;
    this.http = axios.create({
      baseURL: google.keysUrl,
      httpAgent: this.agents.http,
      httpsAgent: this.agents.https,
      maxContentLength: MOST_BYTES,
      maxRedirects: 0,
      proxy: false,
      responseType: 'json',
    });
  }

  onApplicationShutdown(): void {
    this.agents.http.destroy();
    this.agents.https.destroy();
  }

  /**
   * The key that a token names. A name that is not known may be a new key's: the set is fetched again, at once.
   * @throws JWKSNoMatchingKey of jose when there is none, Problem identity_provider_unavailable
   */
  readonly keyFor: JWTVerifyGetKey = async (header, token) => {
    const known = await this.current();
    try {
      return await known(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !this.mayLookUp()) throw error;
    }
    return (await this.fetch())(header, token);
  };

  /** Keys that are fresh, or else old ones while newer ones can't be had. */
  private async current(): Promise<FindKey> {
    const now = this.clock.milliseconds();
    const known = now < this.fetchedAt + USABLE_MS ? this.find : undefined;
    if (known && now < this.fetchNextAt) return known;
    try {
      return await this.fetch();
    } catch (error) {
      if (!known) throw error;
      this.fetchNextAt = this.clock.milliseconds() + RETRY_MS;
      this.logger.warn(`old keys are used: ${error instanceof Error ? error.message : 'unknown'}`);
      return known;
    }
  }

  private mayLookUp(): boolean {
    const now = this.clock.milliseconds();
    this.lookups = this.lookups.filter((time) => time > now - 60_000);
    if (this.lookups.length >= LOOKUPS_PER_MINUTE) return false;
    this.lookups.push(now);
    return true;
  }

  /** Fetches the set, once for everybody who waits for it. */
  private fetch(): Promise<FindKey> {
    this.fetching ??= this.times
      .measure('google', 'keys', () => this.fetchSet())
      .finally(() => {
        this.fetching = undefined;
      });
    return this.fetching;
  }

  private async fetchSet(): Promise<FindKey> {
    // A deadline for the whole answer: one that drips must not hold sign-ins.
    const signal = AbortSignal.timeout(this.timeoutMs);
    const answer = await this.http.get<JSONWebKeySet>('', { signal }).catch((error: unknown) => {
      throw unavailable(axios.isAxiosError(error) ? (error.code ?? 'unknown') : 'unknown');
    });
    const find = readSet(answer.data);
    this.find = find;
    this.fetchedAt = this.clock.milliseconds();
    this.fetchNextAt = this.fetchedAt + FRESH_MS;
    return find;
  }
}

function readSet(data: JSONWebKeySet): FindKey {
  try {
    return createLocalJWKSet(data);
  } catch {
    throw unavailable('what was answered is no key set');
  }
}
