import { Inject, Injectable } from '@nestjs/common';
import { type Queries, SQL, type Sql } from '../../database/database.module.js';
import { isUniqueViolation } from '../../database/database-errors.js';
import { inTransaction } from '../../database/transaction.js';
import { MOST_WRONG_TRIES } from './pairing-code.js';

export interface Pairing {
  id: number;
  hostDeviceId: string;
  clientDeviceId: string;
  createdAt: Date;
}

export interface NewCode {
  accountId: string;
  hostDeviceId: string;
  hash: Buffer;
  expiresAt: Date;
}

/** A try to use a code; a hash of null is that of no code at all. */
export interface Confirmation {
  accountId: string;
  clientDeviceId: string;
  hash: Buffer | null;
  now: Date;
}

type Confirmed = Pairing & { isNew: boolean };

@Injectable()
export class PairingRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  /**
   * Keeps a code in the place of the host's older one. `taken`: another host of the account has the same; `gone`: the account
   * has no such host any more.
   */
  async keepCode({ accountId, hostDeviceId, hash, expiresAt }: NewCode): Promise<'kept' | 'taken' | 'gone'> {
    try {
      const { count: kept } = await this.sql`
        INSERT INTO pairing_codes (host_device_id, account_id, code_hash, expires_at)
        SELECT d.id, a.id, ${hash}, ${expiresAt} FROM accounts a JOIN devices d ON d.account_id = a.id
        WHERE a.id = ${accountId} AND d.id = ${hostDeviceId} AND d.kind = 'host' FOR KEY SHARE OF a, d
        ON CONFLICT (host_device_id) DO UPDATE
        SET account_id = excluded.account_id, code_hash = excluded.code_hash, wrong_tries = 0, expires_at = excluded.expires_at`;
      return kept === 1 ? 'kept' : 'gone';
    } catch (error) {
      if (isUniqueViolation(error)) return 'taken';
      throw error;
    }
  }

  /**
   * Uses a code up and pairs. A wrong one counts against every code that the account has: nobody can tell which was meant.
   * Tries at the same time wait for each other, so a code is used once, and none gets past the count. `gone`: the account has
   * no such client any more.
   */
  async confirm({ accountId, clientDeviceId, hash, now }: Confirmation): Promise<Confirmed | 'wrong' | 'gone'> {
    return inTransaction(this.sql, async (queries) => {
      // Whoever removes one of them locks it before what hangs on it, and so do we: neither waits for the other in a circle.
      const devices = await queries<{ id: string }[]>`
        SELECT d.id FROM accounts a JOIN devices d ON d.account_id = a.id
        WHERE a.id = ${accountId} AND (d.kind = 'host' OR (d.kind = 'client' AND d.id = ${clientDeviceId}))
        ORDER BY d.id FOR KEY SHARE OF a, d`;
      if (!devices.some(({ id }) => id === clientDeviceId)) return 'gone';
      const codes = await queries<{ host: string; isRight: boolean }[]>`
        SELECT host_device_id AS host, code_hash IS NOT DISTINCT FROM ${hash}::bytea AS "isRight" FROM pairing_codes
        WHERE account_id = ${accountId} AND expires_at > ${now} AND wrong_tries < ${MOST_WRONG_TRIES}
        ORDER BY host_device_id FOR UPDATE`;
      const right = codes.find(({ isRight }) => isRight);
      if (right) return this.pair(queries, { accountId, hostDeviceId: right.host, clientDeviceId, now });
      await queries`UPDATE pairing_codes SET wrong_tries = wrong_tries + 1
        WHERE account_id = ${accountId} AND wrong_tries < ${MOST_WRONG_TRIES}`;
      return 'wrong';
    });
  }

  /** All pairings of an account, or those of one of its devices, the oldest first. */
  async list(accountId: string): Promise<Pairing[]> {
    return this.sql<Pairing[]>`
      SELECT id, host_device_id AS "hostDeviceId", client_device_id AS "clientDeviceId", created_at AS "createdAt"
      FROM pairings WHERE account_id = ${accountId} ORDER BY id`;
  }

  /** The devices that a device is paired with, the first paired first. */
  async peersOf(deviceId: string): Promise<string[]> {
    const rows = await this.sql<{ peer: string }[]>`
      SELECT CASE WHEN host_device_id = ${deviceId} THEN client_device_id ELSE host_device_id END AS peer FROM pairings
      WHERE host_device_id = ${deviceId} OR client_device_id = ${deviceId} ORDER BY id`;
    return rows.map(({ peer }) => peer);
  }

  /** Ends a pairing of an account; undefined when it has none of that number. */
  async remove(accountId: string, id: number): Promise<Pairing | undefined> {
    const [row] = await this.sql<Pairing[]>`
      DELETE FROM pairings WHERE id = ${id} AND account_id = ${accountId}
      RETURNING id, host_device_id AS "hostDeviceId", client_device_id AS "clientDeviceId", created_at AS "createdAt"`;
    return row;
  }

  async removeExpired(now: Date, most: number): Promise<void> {
    await this.sql`
      DELETE FROM pairing_codes WHERE host_device_id IN (
        SELECT host_device_id FROM pairing_codes WHERE expires_at <= ${now} LIMIT ${most})`;
  }

  private async pair(
    queries: Queries,
    { accountId, hostDeviceId, clientDeviceId, now }: Omit<Confirmation, 'hash'> & { hostDeviceId: string },
  ): Promise<Confirmed> {
    await queries`DELETE FROM pairing_codes WHERE host_device_id = ${hostDeviceId}`;
    const [paired] = await queries<Confirmed[]>`
      INSERT INTO pairings AS p (account_id, host_device_id, client_device_id, created_at)
      VALUES (${accountId}, ${hostDeviceId}, ${clientDeviceId}, ${now})
      ON CONFLICT (host_device_id, client_device_id) DO UPDATE SET created_at = p.created_at
      RETURNING id, host_device_id AS "hostDeviceId", client_device_id AS "clientDeviceId", created_at AS "createdAt",
        xmax = 0 AS "isNew"`;
    return paired as Confirmed;
  }
}
