import { Inject, Injectable } from '@nestjs/common';
import { Batch } from '../../common/batch.js';
import { type Queries, SQL, type Sql } from '../../database/database.module.js';
import { inTransaction } from '../../database/transaction.js';
import { DeviceDirectory, type KnownDevice, type Standing } from '../../realtime/device-directory.js';
import type { DeviceKind, DeviceRow } from './device.js';

export interface NewDevice {
  accountId: string;
  name: string | null;
  kind: DeviceKind;
  now: Date;
}

export interface RegisteredDevice extends Pick<NewDevice, 'accountId' | 'now'> {
  id: string;
  name: string | null;
  /** Null: as it is, or `desktop`. */
  kind: DeviceKind | null;
  publicKey: string;
  proved: boolean;
}

@Injectable()
export class DevicesRepository extends DeviceDirectory {
  /** Thousands may connect at once: one look-up for all that ask in the same moment. */
  private readonly finding = new Batch((ids: readonly string[]) => this.findAll(ids), { most: 500, pauseMs: 0 });

  constructor(@Inject(SQL) private readonly sql: Sql) {
    super();
  }

  find(id: string): Promise<KnownDevice | undefined> {
    return this.finding.add(id);
  }

  private async findAll(ids: readonly string[]): Promise<(KnownDevice | undefined)[]> {
    const rows = await this.sql<KnownDevice[]>`
      SELECT id, account_id AS "accountId", kind, CASE WHEN key_proven_at IS NOT NULL THEN public_key END AS "provenKey"
      FROM devices WHERE id = ANY(${[...ids]})`;
    const known = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => known.get(id));
  }

  async standing(connections: readonly Standing[]): Promise<boolean[]> {
    const rows = await this.sql<{ stands: boolean }[]>`
      SELECT s.id IS NOT NULL AS stands
      FROM unnest(
        ${connections.map(({ sessionId }) => sessionId)}::uuid[], ${connections.map(({ deviceId }) => deviceId)}::text[]
      ) WITH ORDINALITY AS c (session_id, device_id, nth)
      LEFT JOIN (sessions s JOIN accounts a ON a.id = s.account_id AND a.status = 'active'
          JOIN devices d ON d.account_id = a.id)
        ON s.id = c.session_id AND d.id = c.device_id
      ORDER BY nth`;
    return rows.map(({ stands }) => stands);
  }

  /** A device under the next number; `full` when the account has `most`, `gone` when it is not active. */
  create(device: NewDevice, most: number): Promise<DeviceRow | 'full' | 'gone'> {
    return this.underLock(device.accountId, async (transaction) => {
      if ((await count(transaction, device.accountId)) >= most) return 'full';
      const [row] = await transaction<DeviceRow[]>`
        INSERT INTO devices (id, account_id, name, kind, created_at)
        VALUES (nextval('device_numbers')::text, ${device.accountId}, ${device.name}, ${device.kind}, ${device.now})
        RETURNING ${columns(transaction)}`;
      return row as DeviceRow;
    });
  }

  /**
   * A device under an id of its own, or the new key of one that the account has. A key that was proved is only replaced by
   * another that was: `unproved`. `foreign`: the id is another account's.
   */
  register(device: RegisteredDevice, most: number): Promise<DeviceRow | 'full' | 'gone' | 'foreign' | 'unproved'> {
    const { id, accountId, name, kind, publicKey, proved, now } = device;
    return this.underLock(accountId, async (transaction) => {
      const [known] = await transaction<DeviceRow[]>`
        SELECT ${columns(transaction)} FROM devices WHERE id = ${id} FOR UPDATE`;
      if (known && known.accountId !== accountId) return 'foreign';
      if (known?.keyProvenAt && !proved && known.publicKey !== publicKey) return 'unproved';
      if (!known && (await count(transaction, accountId)) >= most) return 'full';
      const [row] = await transaction<DeviceRow[]>`
        INSERT INTO devices (id, account_id, name, kind, public_key, key_proven_at, created_at)
        VALUES (${id}, ${accountId}, ${name}, ${kind ?? 'desktop'}, ${publicKey}, ${proved ? now : null}, ${now})
        ON CONFLICT (id) DO UPDATE SET
          name = coalesce(excluded.name, devices.name), kind = coalesce(${kind}::text, devices.kind),
          public_key = excluded.public_key, key_proven_at = coalesce(excluded.key_proven_at, devices.key_proven_at)
        WHERE devices.account_id = excluded.account_id
        RETURNING ${columns(transaction)}`;
      return row ?? 'foreign';
    });
  }

  /** The devices of these accounts, the oldest first. */
  async list(accountIds: readonly string[]): Promise<DeviceRow[]> {
    return this.sql<DeviceRow[]>`
      SELECT ${columns(this.sql)} FROM devices WHERE account_id = ANY(${[...accountIds]}) ORDER BY created_at, id`;
  }

  async own(accountId: string, id: string): Promise<DeviceRow | undefined> {
    const [row] = await this.sql<DeviceRow[]>`
      SELECT ${columns(this.sql)} FROM devices WHERE account_id = ${accountId} AND id = ${id}`;
    return row;
  }

  async rename(accountId: string, id: string, name: string): Promise<DeviceRow | undefined> {
    const [row] = await this.sql<DeviceRow[]>`
      UPDATE devices SET name = ${name} WHERE account_id = ${accountId} AND id = ${id} RETURNING ${columns(this.sql)}`;
    return row;
  }

  /** False when the account has no such device. */
  async remove(accountId: string, id: string): Promise<boolean> {
    const { count: removed } = await this.sql`DELETE FROM devices WHERE account_id = ${accountId} AND id = ${id}`;
    return removed === 1;
  }

  async seen(ids: readonly string[], at: Date): Promise<void> {
    await this.sql`UPDATE devices SET last_seen_at = ${at} WHERE id = ANY(${[...ids]})`;
  }

  private underLock<T>(accountId: string, work: (transaction: Queries) => Promise<T>): Promise<T | 'gone'> {
    return inTransaction(this.sql, async (transaction) => {
      const accounts = await transaction`
        SELECT FROM accounts WHERE id = ${accountId} AND status = 'active' FOR NO KEY UPDATE`;
      return accounts.length === 1 ? work(transaction) : 'gone';
    });
  }
}

const columns = (sql: Queries) => sql`
  id, account_id AS "accountId", (SELECT number FROM accounts WHERE id = account_id) AS "accountNumber", name, kind, public_key AS "publicKey", key_proven_at AS "keyProvenAt",
  created_at AS "createdAt", last_seen_at AS "lastSeenAt"`;

async function count(sql: Queries, accountId: string): Promise<number> {
  const [row] = await sql<{ devices: number }[]>`
    SELECT count(*)::integer AS devices FROM devices WHERE account_id = ${accountId}`;
  return row?.devices ?? 0;
}
