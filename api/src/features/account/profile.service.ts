import { Injectable } from '@nestjs/common';
import { Problem } from '../../common/problem.js';
import type { Caller } from '../../http/access.js';
import type { ProfileAnswer } from './profile.dto.js';
import { ProfileRepository } from './profile.repository.js';

/** What an account is known by, to its owner. */
@Injectable()
export class ProfileService {
  constructor(private readonly profiles: ProfileRepository) {}

  /** @throws Problem unauthenticated when the account went meanwhile */
  async show({ accountId, jid, username }: Caller): Promise<ProfileAnswer> {
    const row = await this.profiles.find(accountId);
    if (!row) throw new Problem('unauthenticated', 'the account is gone');
    return {
      id: accountId,
      jid,
      username,
      email: row.email,
      email_verified: row.emailVerified,
      google_linked: row.googleLinked,
      has_password: row.hasPassword,
      created_at: row.createdAt.toISOString(),
    };
  }
}
