import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock } from '../../common/clock.js';
import { isDeviceId } from '../../common/device-id.js';
import { newId } from '../../common/ids.js';
import { jidOf, usernameOf } from '../../common/jid.js';
import { invalidField, Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';
import { Authenticator, type Caller } from '../../http/access.js';
import { AccessTokens } from './access-tokens.js';
import {
  newRefreshToken,
  newSalt,
  type RefreshToken,
  readRefreshToken,
  refreshHash,
  successorOf,
  writeRefreshToken,
} from './refresh-token.js';
import { type Refreshed, SessionRepository, type SessionRow } from './session.repository.js';
import { SessionEnding } from './session-ending.js';

/** The device that logs in, as far as its client says. */
export interface Device {
  id?: string | undefined;
  name?: string | undefined;
}

/** A session and its tokens, just opened or refreshed. */
export interface OpenSession {
  id: string;
  accountNumber: number;
  username: string;
  jid: string;
  deviceId: string;
  accessToken: string;
  refreshToken: string;
}

/** How long a process trusts what it read of a session: a revocation elsewhere reaches it within a second. */
const TRUST_MS = 900;
const REMEMBERED_SESSIONS = 20_000;

/** A retry of a lost answer comes within this time; later, a used refresh token is a copied one (RFC 9700 §4.14.2). */
const GRACE_MS = 30_000;

/** Opens, refreshes and lists sessions, and says whose a token is. A token is as good as its session. */
@Injectable()
export class SessionService extends Authenticator {
  private readonly domain: string;
  private readonly refreshTtlMs: number;
  /** The device of each session that lives; false for one that does not. */
  private readonly alive: LRUCache<string, string | false>;

  constructor(
    private readonly sessions: SessionRepository,
    private readonly ending: SessionEnding,
    private readonly tokens: AccessTokens,
    private readonly clock: Clock,
    @Inject(CONFIG) { addresses, identity }: Config,
  ) {
    super();
    this.domain = addresses.xmppDomain;
    this.refreshTtlMs = identity.refreshTtlSeconds * 1000;
    this.alive = new LRUCache({
      max: REMEMBERED_SESSIONS,
      ttl: TRUST_MS,
      // What is forgotten meanwhile is not kept, and those who wait get their answer: it may be a stranger's session.
      ignoreFetchAbort: true,
      fetchMethod: async (id) => (await this.sessions.deviceOf(id)) ?? false,
    });
  }

  /** Seconds that an access token lives. */
  get lifetimeSeconds(): number {
    return this.tokens.lifetimeSeconds;
  }

  /**
   * Opens a session, in the place of an older one of the same device.
   * @param startedAt when the login began, before anything was proven
   * @returns undefined when the account is not active, or its password has changed since the login began
   * @throws Problem validation_failed for a device id that can't be one
   */
  async open(
    account: { id: string; username: string },
    device: Device,
    startedAt: Date,
  ): Promise<OpenSession | undefined> {
    const token = newRefreshToken(newId());
    const session = {
      ...{ id: token.sessionId, accountId: account.id, refreshHash: refreshHash(token), ...this.times(), startedAt },
      ...{ deviceId: requireDeviceId(device.id) ?? token.sessionId, deviceName: device.name ?? null },
    };
    const accountNumber = await this.sessions.open(session);
    if (accountNumber === undefined) return undefined;
    const { accountId, deviceId } = session;
    return this.issue({ accountId, accountNumber, username: account.username, deviceId }, token);
  }

  /**
   * Exchanges a refresh token for the next one and an access token. The retry of a lost answer gets the same next one.
   * One that was used before is taken for copied, and ends its session (RFC 9700 §4.14.2).
   * @throws Problem invalid_refresh_token
   */
  async refresh(text: string): Promise<OpenSession> {
    const token = readRefreshToken(text);
    if (!token) throw invalidRefreshToken();
    const salt = newSalt();
    const next = successorOf(token, salt);
    const exchange = { sessionId: token.sessionId, hash: refreshHash(token), nextHash: refreshHash(next), salt };
    const refreshed = await this.sessions.rotate({ ...exchange, ...this.times() });
    return refreshed ? this.issue(refreshed, next) : this.repeat(token);
  }

  async authenticate(token: string): Promise<Caller> {
    const claims = this.tokens.verify(token);
    const username = claims && usernameOf(claims.jid, this.domain);
    const deviceId = username && (await this.alive.fetch(claims.sid));
    if (!deviceId) throw new Problem('unauthenticated', 'the token is not valid or its session has ended');
    return { accountId: claims.sub, username, jid: claims.jid, sessionId: claims.sid, deviceId };
  }

  /** The caller's sessions, the last used first. */
  list({ accountId }: Caller): Promise<SessionRow[]> {
    return this.sessions.list(accountId, this.clock.now());
  }

  /** Ends one of the caller's sessions. @returns whether its streams have ended as well. @throws Problem not_found */
  async end({ accountId }: Caller, sessionId: string): Promise<boolean> {
    const ended = await this.ending.end(accountId, sessionId);
    if (ended === undefined) throw new Problem('not_found', 'you have no such session');
    this.forget(sessionId);
    return ended;
  }

  /** Ends all of the caller's sessions but this one. @returns whether their streams have ended as well */
  async endOthers({ accountId, sessionId }: Caller): Promise<boolean> {
    const ended = await this.ending.endAll(accountId, sessionId);
    this.alive.clear();
    return ended;
  }

  /** Ends whatever a device of the caller's has: its sessions, streams, registrations and pushes. @returns whether all have ended */
  async endDevice({ accountId }: Caller, deviceId: string): Promise<boolean> {
    const ended = await this.ending.endDevice(accountId, deviceId);
    this.alive.clear();
    return ended;
  }

  /** This process stops trusting the session now rather than within a second. */
  forget(sessionId: string): void {
    this.alive.delete(sessionId);
  }

  /** @throws Problem reauthentication_required when the caller's login is older than `seconds` */
  async requireRecent({ sessionId }: Caller, seconds: number): Promise<void> {
    const at = await this.sessions.authenticatedAt(sessionId);
    if (at && this.clock.milliseconds() - at.getTime() <= seconds * 1000) return;
    throw new Problem('reauthentication_required', `log in again: this needs a login of the last ${seconds} seconds`);
  }

  /** A session whose login named no device becomes that of this one. */
  async nameDevice({ sessionId }: Caller, deviceId: string): Promise<void> {
    if (!isDeviceId(deviceId)) return;
    await this.sessions.nameDevice(sessionId, deviceId);
    this.forget(sessionId);
  }

  /** Forgets sessions and used tokens that have expired, up to a thousand for each of `most`. */
  async removeExpired(most: number): Promise<void> {
    const now = this.clock.now();
    await this.sessions.removeExpired(now, new Date(now.getTime() - this.refreshTtlMs), most * 1000);
  }

  private async repeat(token: RefreshToken): Promise<OpenSession> {
    const now = this.clock.now();
    const used = await this.sessions.findUsed(token.sessionId, refreshHash(token), now);
    if (!used) throw invalidRefreshToken();
    const next = successorOf(token, used.salt);
    const isRetry = now.getTime() - used.usedAt.getTime() <= GRACE_MS && refreshHash(next).equals(used.newestHash);
    if (isRetry) return this.issue(used, next);
    await this.ending.end(used.accountId, token.sessionId);
    this.forget(token.sessionId);
    throw invalidRefreshToken();
  }

  private issue({ accountId, accountNumber, username, deviceId }: Refreshed, token: RefreshToken): OpenSession {
    const jid = jidOf(username, this.domain);
    const accessToken = this.tokens.sign({ sub: accountId, jid, sid: token.sessionId });
    const refreshToken = writeRefreshToken(token);
    return { id: token.sessionId, accountNumber, username, jid, deviceId, accessToken, refreshToken };
  }

  private times(): { now: Date; expiresAt: Date } {
    const now = this.clock.now();
    return { now, expiresAt: new Date(now.getTime() + this.refreshTtlMs) };
  }
}

const invalidRefreshToken = (): Problem =>
  new Problem('invalid_refresh_token', 'it was used before, has expired or its session has ended: log in again');

function requireDeviceId(id: string | undefined): string | undefined {
  if (id === undefined || isDeviceId(id)) return id;
  throw invalidField('device_id', 'must be 1 to 128 letters a-z, digits or . _ : -');
}
