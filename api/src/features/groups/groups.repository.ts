import { Inject, Injectable } from '@nestjs/common';
import { type Queries, SQL, type Sql } from '../../database/database.module.js';
import { inTransaction } from '../../database/transaction.js';
import type { GroupMember, GroupRole, GroupState } from './group-rules.js';

export type GroupStatus = 'pending' | 'active' | 'deleting';

/** Which change of which group: what it may write is fenced by it. */
export interface LeaseKey {
  groupId: string;
  changeId: string;
}

/** The right to change a group, held by one caller until a time. */
export interface Lease extends LeaseKey {
  status: GroupStatus;
  /** The change before this one was cut off: the room may differ from what stands in the tables. */
  tookOver: boolean;
}

export interface NewGroup extends LeaseKey {
  name: string;
  creatorId: string;
  until: Date;
}

export interface GroupListing {
  id: string;
  name: string;
  role: GroupRole;
}

interface LeaseTimes {
  now: Date;
  until: Date;
}

@Injectable()
export class GroupsRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  /**
   * Reserves a new group under a lease; nobody sees it yet. `full` when its creator has made `most` that are still there, whoever
   * has them now: by handing them on nobody makes more. `gone` when the creator's account is not active.
   */
  reserve({ groupId, changeId, name, creatorId, until }: NewGroup, most: number): Promise<Lease | 'full' | 'gone'> {
    return inTransaction(this.sql, async (transaction) => {
      const accounts = await transaction`
        SELECT FROM accounts WHERE id = ${creatorId} AND status = 'active' FOR NO KEY UPDATE`;
      if (accounts.length === 0) return 'gone';
      const [made] = await transaction<{ count: number }[]>`
        SELECT count(*)::integer FROM groups WHERE created_by = ${creatorId}`;
      if ((made?.count ?? 0) >= most) return 'full';
      await transaction`
        INSERT INTO groups (id, name, status, change_id, change_until, created_by)
        VALUES (${groupId}, ${name}, 'pending', ${changeId}, ${until}, ${creatorId})`;
      return { groupId, changeId, status: 'pending', tookOver: false };
    });
  }

  /** How many there are, finished or not. */
  async count(): Promise<number> {
    const [all] = await this.sql<{ count: number }[]>`SELECT count(*)::integer FROM groups`;
    return all?.count ?? 0;
  }

  /** Takes the lease of one group: 'busy' while somebody else holds it, undefined when there is no such group. */
  acquire(groupId: string, changeId: string, { now, until }: LeaseTimes): Promise<Lease | 'busy' | undefined> {
    return inTransaction(this.sql, async (transaction) => {
      const [group] = await transaction<{ status: GroupStatus; change_until: Date | null }[]>`
        SELECT status, change_until FROM groups WHERE id = ${groupId} AND status <> 'pending' FOR UPDATE`;
      if (!group) return undefined;
      if (group.change_until && group.change_until > now) return 'busy';
      await transaction`
        UPDATE groups SET change_id = ${changeId}, change_until = ${until} WHERE id = ${groupId}`;
      return { groupId, changeId, status: group.status, tookOver: group.change_until !== null };
    });
  }

  /** Takes over a group whose change was cut off, the one that has waited longest. */
  async claimUnfinished(changeId: string, { now, until }: LeaseTimes): Promise<Lease | undefined> {
    const [row] = await this.sql<{ id: string; status: GroupStatus }[]>`
      UPDATE groups SET change_id = ${changeId}, change_until = ${until}
      WHERE id = (
        SELECT id FROM groups WHERE change_id IS NOT NULL AND change_until <= ${now}
        ORDER BY change_until LIMIT 1 FOR UPDATE SKIP LOCKED)
      RETURNING id, status`;
    return row && { groupId: row.id, changeId, status: row.status, tookOver: true };
  }

  /** Takes over a group whose room was not compared with the tables since `before`, the one that was not for longest. */
  async claimUnchecked(changeId: string, { now, until }: LeaseTimes, before: Date): Promise<Lease | undefined> {
    const [row] = await this.sql<{ id: string }[]>`
      UPDATE groups SET change_id = ${changeId}, change_until = ${until}, checked_at = ${now}
      WHERE id = (
        SELECT id FROM groups WHERE status = 'active' AND change_id IS NULL AND checked_at <= ${before}
        ORDER BY checked_at LIMIT 1 FOR UPDATE SKIP LOCKED)
      RETURNING id`;
    return row && { groupId: row.id, changeId, status: 'active', tookOver: false };
  }

  /** A group as its members see it. */
  readActive(groupId: string): Promise<GroupState | undefined> {
    return this.readIn(groupId, ['active']);
  }

  /** A group as whoever holds its lease sees it: even while it is being deleted. */
  readLeased({ groupId }: Lease): Promise<GroupState | undefined> {
    return this.readIn(groupId, ['active', 'deleting']);
  }

  private async readIn(groupId: string, statuses: GroupStatus[]): Promise<GroupState | undefined> {
    const [group] = await this.sql<{ name: string }[]>`
      SELECT name FROM groups WHERE id = ${groupId} AND status = ANY(${statuses}::text[])`;
    if (!group) return undefined;
    const members = await this.sql<GroupMember[]>`
      SELECT m.account_id AS "accountId", a.username || '@' || a.domain AS jid, m.role
      FROM group_members m JOIN accounts a ON a.id = m.account_id
      WHERE m.group_id = ${groupId} ORDER BY m.joined_at, a.username`;
    return { name: group.name, members: [...members] };
  }

  async listOf(accountId: string): Promise<GroupListing[]> {
    return this.sql<GroupListing[]>`
      SELECT g.id, g.name, m.role FROM groups g JOIN group_members m ON m.group_id = g.id
      WHERE m.account_id = ${accountId} AND g.status = 'active' ORDER BY g.created_at, g.id`;
  }

  async groupIdsOf(accountId: string): Promise<string[]> {
    const rows = await this.sql<{ id: string }[]>`
      SELECT g.id FROM groups g JOIN group_members m ON m.group_id = g.id
      WHERE m.account_id = ${accountId} AND g.status = 'active' ORDER BY g.id`;
    return rows.map(({ id }) => id);
  }

  /**
   * Makes a change true and gives the lease back, in one transaction.
   * @returns 'lost' when the lease was lost, 'gone' when a member's account is not active any more: nothing is changed then
   */
  commit({ groupId, changeId }: Lease, next: GroupState): Promise<'done' | 'lost' | 'gone'> {
    const abort = new Error('roll back');
    let outcome: 'done' | 'lost' | 'gone' = 'done';
    return inTransaction(this.sql, async (transaction) => {
      const { count } = await transaction`
        UPDATE groups SET name = ${next.name}, status = 'active', change_id = NULL, change_until = NULL
        WHERE id = ${groupId} AND change_id = ${changeId}`;
      if (count !== 1) outcome = 'lost';
      else if (!(await this.writeMembers(groupId, next.members, transaction))) outcome = 'gone';
      if (outcome !== 'done') throw abort;
    })
      .catch((error: unknown) => {
        if (error !== abort) throw error;
      })
      .then(() => outcome);
  }

  /** From here on nobody sees the group; only the rest of its deletion is left. False when the lease was lost. */
  async markDeleting({ groupId, changeId }: Lease): Promise<boolean> {
    const { count } = await this.sql`
      UPDATE groups SET status = 'deleting' WHERE id = ${groupId} AND change_id = ${changeId}`;
    return count === 1;
  }

  /** Removes the group, and notes its room as one that is to be destroyed again at `again`. */
  async remove({ groupId, changeId }: Lease, again: Date): Promise<void> {
    await this.sql`
      WITH removed AS (DELETE FROM groups WHERE id = ${groupId} AND change_id = ${changeId} RETURNING id)
      INSERT INTO removed_rooms (group_id, due_at) SELECT id, ${again} FROM removed`;
  }

  /** Holds the group for longer; false when the lease was lost. */
  async renew({ groupId, changeId }: Lease, until: Date): Promise<boolean> {
    const { count } = await this.sql`
      UPDATE groups SET change_until = ${until} WHERE id = ${groupId} AND change_id = ${changeId}`;
    return count === 1;
  }

  /** Gives the lease back; room and tables agree. */
  async release({ groupId, changeId }: Lease): Promise<void> {
    await this.sql`
      UPDATE groups SET change_id = NULL, change_until = NULL WHERE id = ${groupId} AND change_id = ${changeId}`;
  }

  /** Lets the lease run out at `at`: room and tables may differ, and whoever takes it over has to mend that. */
  async expire({ groupId, changeId }: LeaseKey, at: Date): Promise<void> {
    await this.sql`UPDATE groups SET change_until = ${at} WHERE id = ${groupId} AND change_id = ${changeId}`;
  }

  /**
   * False when the account of a new member is not active any more; it is locked against closing meanwhile. Who is a
   * member already may be on his way out: his own departure comes with a change of its own.
   */
  private async writeMembers(groupId: string, members: readonly GroupMember[], sql: Queries): Promise<boolean> {
    const ids = members.map(({ accountId }) => accountId);
    const eligible = await sql`
      SELECT a.id FROM accounts a
      WHERE a.id = ANY(${ids}::uuid[]) AND (a.status = 'active' OR EXISTS (
        SELECT FROM group_members m WHERE m.group_id = ${groupId} AND m.account_id = a.id))
      ORDER BY a.id FOR SHARE OF a`;
    if (eligible.length !== ids.length) return false;
    await sql`DELETE FROM group_members WHERE group_id = ${groupId} AND NOT account_id = ANY(${ids}::uuid[])`;
    const roles = members.map(({ role }) => role);
    await sql`
      INSERT INTO group_members (group_id, account_id, role, joined_at)
      SELECT ${groupId}, m.id, m.role, clock_timestamp()
      FROM unnest(${ids}::uuid[], ${roles}::text[]) WITH ORDINALITY AS m (id, role, position) ORDER BY m.position
      ON CONFLICT (group_id, account_id) DO UPDATE SET role = excluded.role`;
    return true;
  }
}
