import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { newId } from '../../common/ids.js';
import { Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';
import { GroupRoom } from './group-room.js';
import type { GroupState } from './group-rules.js';
import { GroupsRepository, type Lease, type LeaseKey } from './groups.repository.js';

/** A lease in neighbour timeouts: a large group's room takes many calls, and the lease outlives them. */
const LEASE_TIMEOUTS = 12;
const PATIENCE_MS = 3000;
const RETRY_ACQUIRE_MS = 40;
/** How often each room is compared with the tables. */
const CHECK_EVERY_MS = 60_000;
/** In so many runs every room has its turn: with the reaper's two seconds between them, in 40 s and what the checks take. */
const RUNS_PER_ROUND = 20;
/** Each is a room in the memory of the chat server, and three calls a minute. */
const MOST_GROUPS = 200;
/** How soon a destroyed room is destroyed again: by then the chat server has done what it was asked before. */
const DESTROY_AGAIN_MS = 60_000;
/** How soon a change that could not be undone is tried again. */
const RETRY_MS = 5000;

const noGroup = (): Problem => new Problem('not_found', 'there is no such group');

/**
 * Changes groups so that the tables and the room never stay apart. Whoever changes a group holds its lease; the room is
 * brought to the wanted state first, then one transaction makes it true. A change that fails leaves its lease to run
 * out, and the next change or the reaper brings the room back to what the tables say.
 */
@Injectable()
export class GroupChanges {
  private readonly leaseMs: number;

  constructor(
    private readonly groups: GroupsRepository,
    private readonly room: GroupRoom,
    private readonly clock: Clock,
    @Inject(CONFIG) { neighbours }: Config,
  ) {
    this.leaseMs = LEASE_TIMEOUTS * neighbours.timeoutMs;
  }

  /** @throws Problem too_many_groups, chat_server_unavailable */
  async create(wanted: GroupState, creatorId: string): Promise<string> {
    const key = { groupId: newId(), changeId: newId() };
    const reservation = { ...key, name: wanted.name, creatorId, until: this.after(this.leaseMs) };
    const lease = await this.groups.reserve(reservation, MOST_GROUPS);
    if (lease === 'full') {
      throw new Problem(
        'too_many_groups',
        `an account makes at most ${MOST_GROUPS} groups, and may delete some of them`,
      );
    }
    if (lease === 'gone') throw new Problem('unauthenticated', 'the account is being deleted');
    await this.carryOut(lease, wanted, new Set());
    return lease.groupId;
  }

  /**
   * @param plan the group after the change, null to delete it; what it throws changes nothing
   * @throws Problem not_found, group_busy, chat_server_unavailable
   */
  async change(groupId: string, plan: (state: GroupState) => GroupState | null): Promise<void> {
    const lease = await this.acquire(groupId, 'active');
    const { before, next } = await this.planned(lease, plan);
    if (next) await this.carryOut(lease, next, admittedBy(before, next));
    else await this.carryOutDeletion(lease);
  }

  /** Deletes a group and its room; once begun it is only ever finished. `check` may throw and so prevent it. */
  async delete(groupId: string, check: (state: GroupState) => void): Promise<void> {
    const lease = await this.acquire(groupId, 'deleting');
    await this.planned(lease, check);
    await this.carryOutDeletion(lease);
  }

  /**
   * Mends groups: those whose change was cut off, then those that were not looked at for a while, because whoever has
   * rights in a room can change or destroy it by XMPP. The room follows the tables again. `most` of them, or as many as
   * everyone's turn needs to come in time; it ends when `most` have failed.
   */
  async mendRooms(most: number, onFailure: (error: unknown) => void, stopping?: AbortSignal): Promise<void> {
    let share = most;
    let failures = 0;
    for (let mended = 0; mended < share && failures < most && !stopping?.aborted; ) {
      // One by one: a lease that begins long before its work might end before it, and a person's change waits for no crowd.
      const lease = await this.claimNeglected();
      if (!lease) return;
      await this.mend(lease).catch((error: unknown) => {
        failures += 1;
        onFailure(error);
        return this.groups.expire(lease, this.after(RETRY_MS)).catch(() => {});
      });
      mended += 1;
      if (mended === most) share = Math.max(most, Math.ceil((await this.groups.count()) / RUNS_PER_ROUND));
    }
  }

  private async claimNeglected(): Promise<Lease | undefined> {
    const times = { now: this.clock.now(), until: this.after(this.leaseMs) };
    const unfinished = await this.groups.claimUnfinished(newId(), times);
    return unfinished ?? this.groups.claimUnchecked(newId(), times, this.after(-CHECK_EVERY_MS));
  }

  private async mend(lease: Lease): Promise<void> {
    if (lease.status !== 'active') return this.finishDeletion(lease);
    const state = await this.groups.readLeased(lease);
    if (state) await this.room.bringTo(lease.groupId, state, this.keeping(lease));
    await this.groups.release(lease);
  }

  private async finishDeletion(lease: Lease): Promise<void> {
    await this.room.destroy(lease.groupId);
    await this.groups.remove(lease, this.after(DESTROY_AGAIN_MS));
  }

  private async carryOutDeletion(lease: Lease): Promise<void> {
    await this.undoable(lease, async () => {
      if (!(await this.groups.markDeleting(lease))) throw lost();
      await this.finishDeletion(lease);
    });
  }

  private async carryOut(lease: Lease, next: GroupState, admitted: ReadonlySet<string>): Promise<void> {
    await this.undoable(lease, async () => {
      await this.room.bringTo(lease.groupId, next, this.keeping(lease), admitted);
      const outcome = await this.groups.commit(lease, next);
      if (outcome === 'gone') throw new Problem('not_found', 'an account of the group is being deleted; try again');
      if (outcome === 'lost') throw lost();
    });
  }

  /** To be called before each step of a long change: the lease begins anew in time. It throws when the lease was lost. */
  private keeping(lease: Lease): () => Promise<void> {
    let renewAt = this.after(this.leaseMs / 2);
    return async () => {
      if (this.clock.now() < renewAt) return;
      if (!(await this.groups.renew(lease, this.after(this.leaseMs)))) throw lost();
      renewAt = this.after(this.leaseMs / 2);
    };
  }

  /** Runs a part of a change after which room and tables may differ; on failure the lease runs out at once. */
  private async undoable<T>(lease: LeaseKey, part: () => Promise<T>): Promise<T> {
    try {
      return await part();
    } catch (error) {
      // When the database is away as well, the lease runs out by itself.
      await this.groups.expire(lease, this.clock.now()).catch(() => {});
      throw error;
    }
  }

  /** Reads the group and lets the plan object before anything is touched. */
  private async planned<T>(lease: Lease, plan: (state: GroupState) => T): Promise<{ before: GroupState; next: T }> {
    try {
      const before = await this.groups.readLeased(lease);
      if (!before) throw noGroup();
      return { before, next: plan(before) };
    } catch (error) {
      const giveBack = lease.tookOver ? this.groups.expire(lease, this.clock.now()) : this.groups.release(lease);
      await giveBack.catch(() => {});
      throw error;
    }
  }

  /** Waits a moment for whoever else changes the group. @param latest the last status in which the group still counts */
  private async acquire(groupId: string, latest: 'active' | 'deleting'): Promise<Lease> {
    const deadline = this.clock.milliseconds() + PATIENCE_MS;
    const changeId = newId();
    for (;;) {
      const times = { now: this.clock.now(), until: this.after(this.leaseMs) };
      const lease = await this.undoable({ groupId, changeId }, () => this.groups.acquire(groupId, changeId, times));
      if (!lease) throw noGroup();
      if (lease !== 'busy') return this.usable(lease, latest);
      if (this.clock.milliseconds() >= deadline) throw lost();
      await delay(RETRY_ACQUIRE_MS);
    }
  }

  private async usable(lease: Lease, latest: 'active' | 'deleting'): Promise<Lease> {
    if (lease.status === 'active' || latest === 'deleting') return lease;
    await this.groups.expire(lease, this.clock.now());
    throw noGroup();
  }

  private after(ms: number): Date {
    return new Date(this.clock.milliseconds() + ms);
  }
}

/** The accounts that a change lets in. */
function admittedBy(before: GroupState, next: GroupState): ReadonlySet<string> {
  const members = new Set(before.members.map(({ accountId }) => accountId));
  return new Set(next.members.map(({ accountId }) => accountId).filter((id) => !members.has(id)));
}

const lost = (): Problem => new Problem('group_busy', 'try again in a moment', { retryAfterSeconds: 1 });
