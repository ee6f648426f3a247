import { Inject, Injectable } from '@nestjs/common';
import { SQL, type Sql } from '../../database/database.module.js';
import type { Alert } from './alert-rules.js';

@Injectable()
export class MonitorRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  /** Takes the lease, or renews it. @returns whether it is the holder's now */
  async lease(holder: string, now: Date, expiresAt: Date): Promise<boolean> {
    const rows = await this.sql`
      INSERT INTO monitor_lease AS lease (holder, expires_at) VALUES (${holder}, ${expiresAt})
      ON CONFLICT (one) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
      WHERE lease.holder = excluded.holder OR lease.expires_at < ${now}
      RETURNING 1`;
    return rows.length === 1;
  }

  /** The next process need not wait until it runs out. */
  async giveBack(holder: string): Promise<void> {
    await this.sql`DELETE FROM monitor_lease WHERE holder = ${holder}`;
  }

  alerts(): Promise<Alert[]> {
    return this.sql<Alert[]>`
      SELECT subject, severity, detail, since, told, alarmed_at AS "alarmedAt" FROM alerts`;
  }

  /** In the place of all that were there. */
  async replaceAlerts(alerts: readonly Alert[]): Promise<void> {
    const rows = alerts.map(({ alarmedAt, ...alert }) => ({ ...alert, alarmed_at: alarmedAt }));
    await this.sql.begin(async (sql) => {
      await sql`DELETE FROM alerts`;
      await sql`INSERT INTO alerts ${sql(rows)}`;
    });
  }
}
