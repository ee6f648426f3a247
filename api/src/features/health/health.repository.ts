import { Inject, Injectable } from '@nestjs/common';
import { SQL, type Sql } from '../../database/database.module.js';

@Injectable()
export class HealthRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  /** Answers when the database does. */
  async ping(): Promise<void> {
    await this.sql`SELECT 1`;
  }
}
