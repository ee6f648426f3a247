import { createSecretKey } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { LRUCache } from 'lru-cache';
import { Clock } from '../../common/clock.js';
import { newId } from '../../common/ids.js';
import { jidOf, usernameOf } from '../../common/jid.js';
import { Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';
import { Authenticator, type Caller } from '../../http/access.js';
import { type Login, SessionRepository } from './session.repository.js';

/** What an access token says (RFC 7519), besides iss, aud and the times. */
interface Claims {
  sub: string;
  jid: string;
  sid: string;
}

/** A session that was just opened, and its first access token. */
export interface OpenedSession extends Login {
  id: string;
  jid: string;
  token: string;
}

const AUDIENCE = 'veil';

/** How long a process trusts what it read of a session: so late does a revocation elsewhere reach it at most. */
const TRUST_MS = 1000;
const REMEMBERED_SESSIONS = 20_000;

/** Issues access tokens and says whose they are. A token is as good as its session: ending one ends all its tokens. */
@Injectable()
export class SessionService extends Authenticator {
  private readonly jwt: JwtService;
  private readonly domain: string;
  private readonly sipDomain: string;
  private readonly ttlSeconds: number;
  private readonly alive: LRUCache<string, boolean>;

  constructor(
    private readonly sessions: SessionRepository,
    private readonly clock: Clock,
    @Inject(CONFIG) { addresses, identity }: Config,
  ) {
    super();
    this.domain = addresses.xmppDomain;
    this.sipDomain = addresses.sipDomain;
    this.ttlSeconds = identity.tokenTtlSeconds;
    // A KeyObject: verifying with it takes a quarter of the time that a string takes.
    const key = createSecretKey(identity.jwtSecret.reveal(), 'utf8');
    this.jwt = new JwtService({
      secret: key as unknown as Buffer,
      signOptions: { algorithm: 'HS256', issuer: this.domain, audience: AUDIENCE },
      verifyOptions: { algorithms: ['HS256'], issuer: this.domain, audience: AUDIENCE },
    });
    this.alive = new LRUCache({
      max: REMEMBERED_SESSIONS,
      ttl: TRUST_MS,
      fetchMethod: (id) => this.sessions.isAlive(id),
    });
  }

  /** Seconds that a fresh token lives. */
  get lifetimeSeconds(): number {
    return this.ttlSeconds;
  }

  /** Opens a session of an active account. Undefined when there is none of that name. */
  async open(username: string): Promise<OpenedSession | undefined> {
    const now = this.clock.now();
    const session = { id: newId(), now, expiresAt: new Date(now.getTime() + this.ttlSeconds * 1000) };
    const login = await this.sessions.open(username, this.domain, this.sipDomain, session);
    if (!login) return undefined;
    const jid = jidOf(username, this.domain);
    return { ...login, id: session.id, jid, token: this.sign({ sub: login.accountId, jid, sid: session.id }, now) };
  }

  async authenticate(token: string): Promise<Caller> {
    const claims = this.verify(token);
    const username = usernameOf(claims.jid, this.domain);
    if (!username || !(await this.alive.fetch(claims.sid))) throw expired();
    return { accountId: claims.sub, username, jid: claims.jid, sessionId: claims.sid };
  }

  /** Takes back a session whose token nobody got. */
  async discard({ id }: OpenedSession): Promise<void> {
    await this.sessions.remove(id);
  }

  /** Forgets sessions that have expired, up to a thousand for each of `most`. */
  async removeExpired(most: number): Promise<void> {
    await this.sessions.removeExpired(this.clock.now(), most * 1000);
  }

  /** This process stops trusting the session now rather than within a second. */
  forget(sessionId: string): void {
    this.alive.delete(sessionId);
  }

  private sign(claims: Claims, now: Date): string {
    const issuedAt = Math.floor(now.getTime() / 1000);
    return this.jwt.sign({ ...claims, jti: newId(), iat: issuedAt, exp: issuedAt + this.ttlSeconds });
  }

  private verify(token: string): Claims {
    try {
      return this.jwt.verify<Claims>(token, { clockTimestamp: this.clock.seconds() });
    } catch {
      throw expired();
    }
  }
}

const expired = (): Problem => new Problem('unauthenticated', 'the token is not valid or its session has ended');
