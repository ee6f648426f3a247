import { Inject, Injectable } from '@nestjs/common';
import { SQL, type Sql } from '../../database/database.module.js';

/** The name of a deleted account, as it is kept. */
export interface RetiredName {
  hash: Buffer;
  at: Date;
}

/** What `AccountRepository.remove` has written. */
@Injectable()
export class RetiredNamesRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  async hasAny(hashes: readonly Buffer[], after: Date): Promise<boolean> {
    const digits = hashes.map((hash) => hash.toString('hex'));
    const rows = await this.sql`
      SELECT 1 FROM retired_names
      WHERE name_hash IN (SELECT decode(hash, 'hex') FROM unnest(${digits}::text[]) AS hash) AND retired_at > ${after}
      LIMIT 1`;
    return rows.length === 1;
  }

  /** False when it was not there. */
  async remove(hash: Buffer): Promise<boolean> {
    const { count } = await this.sql`DELETE FROM retired_names WHERE name_hash = ${hash}`;
    return count === 1;
  }

  /** Removes at most `most` names that were retired at that time or before. */
  async removeUntil(time: Date, most: number): Promise<void> {
    await this.sql`
      DELETE FROM retired_names WHERE name_hash IN (
        SELECT name_hash FROM retired_names WHERE retired_at <= ${time} LIMIT ${most})`;
  }
}
