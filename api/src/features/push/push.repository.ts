import { Inject, Injectable } from '@nestjs/common';
import type { PushTarget } from '../../clients/push/push-client.js';
import { SQL, type Sql } from '../../database/database.module.js';
import { inTransaction } from '../../database/transaction.js';
import type { PushPlatform } from './push.dto.js';

export interface PushRegistration extends PushTarget {
  jid: string;
  deviceId: string;
  accountId: string;
  platform: PushPlatform;
}

/** A device that can be reached, as it was when that was asked. */
export interface PushDevice extends PushTarget {
  deviceId: string;
  platform: PushPlatform;
}

type Stored = Omit<PushDevice, 'keys'> & { p256dh: string | null; auth: string | null };

@Injectable()
export class PushRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  /**
   * Stores a device's token, or replaces it.
   * @param most devices that an account may have
   * @param alertToken keeps the one that the same app has registered before, when there is no new one
   * @returns `full` when it has as many others, `gone` when the account is not active any more
   */
  async upsert(
    registration: PushRegistration,
    most: number,
    now: Date,
    alertToken?: 'keep alert token',
  ): Promise<'stored' | 'full' | 'gone'> {
    return inTransaction(this.sql, async (transaction) => {
      const { accountId, jid, deviceId } = registration;
      // One at a time for an account: else all that come at once would count the same.
      const [account] = await transaction`
        SELECT FROM accounts WHERE id = ${accountId} AND status = 'active' FOR NO KEY UPDATE`;
      if (!account) return 'gone';
      const [others] = await transaction<{ count: number }[]>`
        SELECT count(*)::int AS count FROM push_registrations
        WHERE account_id = ${accountId} AND NOT (jid = ${jid} AND device_uuid = ${deviceId})`;
      if ((others?.count ?? 0) >= most) return 'full';
      await transaction`
        INSERT INTO push_registrations ${transaction(rowOf(registration, now))}
        ON CONFLICT (jid, device_uuid) DO UPDATE SET
          account_id = excluded.account_id, platform = excluded.platform, push_token = excluded.push_token,
          app_id = excluded.app_id, registered_at = excluded.registered_at,
          alert_token = coalesce(excluded.alert_token, CASE WHEN ${alertToken !== undefined}::boolean
            AND (push_registrations.platform, push_registrations.app_id, push_registrations.environment) =
              (excluded.platform, excluded.app_id, excluded.environment) THEN push_registrations.alert_token END),
          environment = excluded.environment, p256dh = excluded.p256dh, auth = excluded.auth`;
      return 'stored';
    });
  }

  /** False when the device was not registered. */
  async remove(accountId: string, deviceId: string): Promise<boolean> {
    const { count } = await this.sql`
      DELETE FROM push_registrations WHERE account_id = ${accountId} AND device_uuid = ${deviceId}`;
    return count > 0;
  }

  /** The id of an account; undefined when nobody has that name. */
  async accountNamed(username: string, domain: string): Promise<string | undefined> {
    const [account] = await this.sql<{ id: string }[]>`
      SELECT id FROM accounts WHERE username = ${username} AND domain = ${domain}`;
    return account?.id;
  }

  /** The ids of an account's devices. */
  async devicesOf(accountId: string): Promise<string[]> {
    const rows = await this.sql<{ id: string }[]>`
      SELECT device_uuid AS id FROM push_registrations WHERE account_id = ${accountId}`;
    return rows.map(({ id }) => id);
  }

  /** Where an active account's devices are reached: all of them, or those that are named. */
  async targetsOf(accountId: string, deviceIds?: readonly string[]): Promise<PushDevice[]> {
    const wanted = deviceIds ? this.sql`AND p.device_uuid = ANY(${[...deviceIds]})` : this.sql``;
    const rows = await this.sql<Stored[]>`
      SELECT p.device_uuid AS "deviceId", p.platform, p.push_token AS token, p.alert_token AS "alertToken",
        p.app_id AS "appId", p.environment, p.p256dh, p.auth
      FROM push_registrations p JOIN accounts a ON a.id = p.account_id
      WHERE p.account_id = ${accountId} AND a.status = 'active' ${wanted} ORDER BY p.device_uuid`;
    return rows.map(({ p256dh, auth, ...device }) => ({ ...device, keys: p256dh && auth ? { p256dh, auth } : null }));
  }

  /** The token is dead, and with it the registration: unless the device has registered another, or again after `at`. */
  async forgetToken(accountId: string, { deviceId, token }: PushDevice, at: Date): Promise<void> {
    await this.sql`
      DELETE FROM push_registrations
      WHERE account_id = ${accountId} AND device_uuid = ${deviceId} AND push_token = ${token} AND registered_at <= ${at}`;
  }

  /** The same for the token of what must not ring: the device can still be called. */
  async forgetAlertToken(accountId: string, { deviceId, alertToken }: PushDevice, at: Date): Promise<void> {
    await this.sql`
      UPDATE push_registrations SET alert_token = NULL
      WHERE account_id = ${accountId} AND device_uuid = ${deviceId} AND alert_token = ${alertToken} AND registered_at <= ${at}`;
  }
}

const rowOf = ({ jid, deviceId, accountId, platform, token, appId, ...target }: PushRegistration, now: Date) => ({
  jid,
  device_uuid: deviceId,
  account_id: accountId,
  platform,
  push_token: token,
  app_id: appId,
  registered_at: now,
  alert_token: target.alertToken,
  environment: target.environment,
  p256dh: target.keys?.p256dh ?? null,
  auth: target.keys?.auth ?? null,
});
