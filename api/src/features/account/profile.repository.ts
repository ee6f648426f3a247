import { Inject, Injectable } from '@nestjs/common';
import { SQL, type Sql } from '../../database/database.module.js';

/** What an account is known by. */
export interface ProfileRow {
  email: string | null;
  emailVerified: boolean;
  googleLinked: boolean;
  hasPassword: boolean;
  createdAt: Date;
}

@Injectable()
export class ProfileRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  async find(accountId: string): Promise<ProfileRow | undefined> {
    const [row] = await this.sql<ProfileRow[]>`
      SELECT email, email_verified_at IS NOT NULL AS "emailVerified", google_sub IS NOT NULL AS "googleLinked",
        has_password AS "hasPassword", created_at AS "createdAt"
      FROM accounts WHERE id = ${accountId}`;
    return row;
  }
}
