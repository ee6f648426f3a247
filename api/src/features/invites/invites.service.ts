import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { codeHash, newCode } from '../../common/code.js';
import { isId, newId } from '../../common/ids.js';
import { invalidField, Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';
import { RateLimiter } from '../../http/rate-limiter.js';
import { type InviteRow, InvitesRepository } from './invites.repository.js';

const DAY_MS = 86_400_000;
/** How long an invite that expired or was revoked is still listed. */
const REMEMBERED_DAYS = 30;

/** Somebody who wants an account, from an address that the limits count by. */
export interface Stranger {
  invite: string | undefined;
  address: string;
}

/** What an invite is for, besides its code. */
export interface NewInvite {
  uses: number;
  days: number;
  note?: string | undefined;
}

const MOST_USES = 10_000;
const MOST_DAYS = 3650;
const LONGEST_NOTE = 200;

const isCount = (value: number, most: number): boolean => Number.isInteger(value) && value >= 1 && value <= most;

/** @throws Problem validation_failed */
function requireSensible({ uses, days, note = '' }: NewInvite): void {
  if (!isCount(uses, MOST_USES)) throw invalidField('uses', `must be a whole number from 1 to ${MOST_USES}`);
  if (!isCount(days, MOST_DAYS)) throw invalidField('days', `must be a whole number from 1 to ${MOST_DAYS}`);
  if (note.length > LONGEST_NOTE || /\p{Cc}/u.test(note)) {
    throw invalidField('note', `must be at most ${LONGEST_NOTE} characters, without control characters`);
  }
}

const invalid = (): Problem => new Problem('invite_invalid', 'ask for a new one');

/** Codes of 100 bits, kept as SHA-256, that let people register; and who may, by the setting REGISTRATION. */
@Injectable()
export class InvitesService {
  constructor(
    private readonly invites: InvitesRepository,
    private readonly limiter: RateLimiter,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @returns the code, which is shown this once @throws Problem validation_failed */
  async create(invite: NewInvite): Promise<{ id: string; code: string; expiresAt: Date }> {
    requireSensible(invite);
    const { uses, days, note } = invite;
    const [id, code, createdAt] = [newId(), newCode(), this.clock.now()];
    const expiresAt = new Date(createdAt.getTime() + days * DAY_MS);
    const hash = codeHash(code);
    if (!hash) throw new Error('a new code is not one');
    await this.invites.add({ id, uses, note: note ?? null, createdAt, expiresAt }, hash);
    return { id, code, expiresAt };
  }

  list(): Promise<InviteRow[]> {
    return this.invites.list();
  }

  /** Nobody registers by it any more; accounts that came of it stay. @throws Problem not_found */
  async revoke(id: string): Promise<void> {
    if (isId(id) && (await this.invites.revoke(id, this.clock.now()))) return;
    throw new Problem('not_found', 'there is no such invite');
  }

  /**
   * Whether a stranger may register just now.
   * @returns the invite that the registration takes a use of, by the hash of its code; null where none is needed
   * @throws Problem registration_closed, invite_required when there is no code; invite_invalid, the same for one that is
   *   wrong, used up, expired or revoked: whoever guesses learns nothing; rate_limited after too many such codes
   */
  async admit({ invite, address }: Stranger): Promise<Buffer | null> {
    const { registration } = this.config.identity;
    if (registration === 'open') return null;
    if (registration === 'closed') throw new Problem('registration_closed', 'accounts are made by the operator');
    if (!invite) throw new Problem('invite_required', 'ask somebody who is here for an invite code');
    return this.judge(invite, address);
  }

  /** @throws Problem invite_invalid */
  async requireUsable(hash: Buffer): Promise<void> {
    if (!(await this.invites.isUsable(hash, this.clock.now()))) throw invalid();
  }

  /** Counts a try from its beginning: those at the same time don't get past the limit. One that can't be judged is none. */
  private async judge(code: string, address: string): Promise<Buffer> {
    this.limiter.take('wrong_invites', { address });
    let isWrong = false;
    try {
      const hash = codeHash(code);
      isWrong = !hash || !(await this.invites.isUsable(hash, this.clock.now()));
      if (!hash || isWrong) throw invalid();
      return hash;
    } finally {
      if (!isWrong) this.limiter.giveBack('wrong_invites', { address });
    }
  }

  /** Forgets invites that have long ended, up to a hundred for each of `most`. */
  async removeEnded(most: number): Promise<void> {
    const before = new Date(this.clock.milliseconds() - REMEMBERED_DAYS * DAY_MS);
    await this.invites.removeEnded(before, most * 100);
  }
}
