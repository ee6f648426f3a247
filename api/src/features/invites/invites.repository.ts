import { Inject, Injectable } from '@nestjs/common';
import { SQL, type Sql } from '../../database/database.module.js';

/** An invite as the operator sees it; its code is known to whoever got it. Times are instants. */
export interface InviteRow {
  id: string;
  note: string | null;
  uses: number;
  used: number;
  createdAt: Date;
  expiresAt: Date;
  revokedAt: Date | null;
}

@Injectable()
export class InvitesRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  async add(invite: Omit<InviteRow, 'used' | 'revokedAt'>, hash: Buffer): Promise<void> {
    await this.sql`
      INSERT INTO invites (id, code_hash, uses, note, created_at, expires_at)
      VALUES (${invite.id}, ${hash}, ${invite.uses}, ${invite.note}, ${invite.createdAt}, ${invite.expiresAt})`;
  }

  async list(): Promise<InviteRow[]> {
    return this.sql<InviteRow[]>`
      SELECT id, note, uses, used, created_at AS "createdAt", expires_at AS "expiresAt", revoked_at AS "revokedAt"
      FROM invites ORDER BY created_at, id`;
  }

  /** False when there is none. One that is revoked already stays as it is. */
  async revoke(id: string, now: Date): Promise<boolean> {
    const { count } = await this.sql`
      UPDATE invites SET revoked_at = COALESCE(revoked_at, ${now}) WHERE id = ${id}`;
    return count === 1;
  }

  /** Whether somebody may still register by it, unless registrations that are under way succeed. */
  async isUsable(hash: Buffer, now: Date): Promise<boolean> {
    const rows = await this.sql`
      SELECT 1 FROM invites i
      WHERE code_hash = ${hash} AND expires_at > ${now} AND revoked_at IS NULL
        AND used - (SELECT count(*) FROM accounts WHERE invite_id = i.id) < uses`;
    return rows.length === 1;
  }

  /** Removes at most `most` invites that ended before `before`, unless a registration holds one. */
  async removeEnded(before: Date, most: number): Promise<void> {
    await this.sql`
      DELETE FROM invites WHERE id IN (
        SELECT id FROM invites i WHERE LEAST(expires_at, revoked_at) < ${before}
          AND NOT EXISTS (SELECT 1 FROM accounts WHERE invite_id = i.id) LIMIT ${most})`;
  }
}
