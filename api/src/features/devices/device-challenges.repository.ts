import { Inject, Injectable } from '@nestjs/common';
import { SQL, type Sql } from '../../database/database.module.js';

@Injectable()
export class DeviceChallengesRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  /** A new challenge takes the place of an older one. */
  async put(accountId: string, deviceId: string, challenge: Buffer, expiresAt: Date): Promise<void> {
    await this.sql`
      INSERT INTO device_challenges (account_id, device_id, challenge, expires_at)
      VALUES (${accountId}, ${deviceId}, ${challenge}, ${expiresAt})
      ON CONFLICT (account_id, device_id) DO UPDATE SET challenge = excluded.challenge, expires_at = excluded.expires_at`;
  }

  /** Takes the challenge away, whatever comes of it; undefined when there is none, or it has expired. */
  async burn(accountId: string, deviceId: string, now: Date): Promise<Buffer | undefined> {
    const [row] = await this.sql<{ challenge: Buffer; expires_at: Date }[]>`
      DELETE FROM device_challenges WHERE account_id = ${accountId} AND device_id = ${deviceId}
      RETURNING challenge, expires_at`;
    return row && row.expires_at > now ? row.challenge : undefined;
  }

  async removeExpired(now: Date, most: number): Promise<void> {
    await this.sql`
      DELETE FROM device_challenges WHERE (account_id, device_id) IN (
        SELECT account_id, device_id FROM device_challenges WHERE expires_at < ${now} LIMIT ${most})`;
  }
}
