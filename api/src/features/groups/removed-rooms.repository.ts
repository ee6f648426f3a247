import { Inject, Injectable } from '@nestjs/common';
import { SQL, type Sql } from '../../database/database.module.js';

/** Rooms of groups that are gone. */
@Injectable()
export class RemovedRoomsRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  /** Takes the room that has waited longest; nobody else takes it before `until`. */
  async claim(now: Date, until: Date): Promise<string | undefined> {
    const [row] = await this.sql<{ groupId: string }[]>`
      UPDATE removed_rooms SET due_at = ${until}
      WHERE group_id = (
        SELECT group_id FROM removed_rooms WHERE due_at <= ${now}
        ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
      RETURNING group_id AS "groupId"`;
    return row?.groupId;
  }

  async forget(groupId: string): Promise<void> {
    await this.sql`DELETE FROM removed_rooms WHERE group_id = ${groupId}`;
  }
}
