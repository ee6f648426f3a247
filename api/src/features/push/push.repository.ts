import { Inject, Injectable } from '@nestjs/common';
import { SQL, type Sql } from '../../database/database.module.js';
import type { PushPlatform } from './push.dto.js';

export interface PushRegistration {
  jid: string;
  deviceId: string;
  accountId: string;
  platform: PushPlatform;
  pushToken: string;
  appId: string;
}

@Injectable()
export class PushRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  /** Stores a device's token, or replaces it. False when the account is not active any more. */
  async upsert(registration: PushRegistration, now: Date): Promise<boolean> {
    const { jid, deviceId, accountId, platform, pushToken, appId } = registration;
    const { count } = await this.sql`
      INSERT INTO push_registrations (jid, device_uuid, account_id, platform, push_token, app_id, registered_at)
      SELECT ${jid}, ${deviceId}, id, ${platform}, ${pushToken}, ${appId}, ${now}
      FROM accounts WHERE id = ${accountId} AND status = 'active' FOR SHARE
      ON CONFLICT (jid, device_uuid) DO UPDATE SET
        account_id = excluded.account_id, platform = excluded.platform, push_token = excluded.push_token,
        app_id = excluded.app_id, registered_at = excluded.registered_at`;
    return count === 1;
  }

  /** False when the device was not registered. */
  async remove(accountId: string, deviceId: string): Promise<boolean> {
    const { count } = await this.sql`
      DELETE FROM push_registrations WHERE account_id = ${accountId} AND device_uuid = ${deviceId}`;
    return count > 0;
  }

  /** How many devices of an active account there are to wake. */
  async devicesOf(accountId: string): Promise<string[]> {
    const rows = await this.sql<{ id: string }[]>`
      SELECT device_uuid AS id FROM push_registrations WHERE account_id = ${accountId}`;
    return rows.map(({ id }) => id);
  }

  async countOf(jid: string): Promise<number> {
    const [row] = await this.sql<{ count: number }[]>`
      SELECT count(*)::int AS count FROM push_registrations p JOIN accounts a ON a.id = p.account_id
      WHERE p.jid = ${jid} AND a.status = 'active'`;
    return row?.count ?? 0;
  }
}
