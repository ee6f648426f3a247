import { Inject, Injectable } from '@nestjs/common';
import { SQL, type Sql } from '../../database/database.module.js';

@Injectable()
export class DoctorRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  /** The clock of the database, at this moment. */
  async time(): Promise<Date> {
    const [row] = await this.sql<{ now: Date }[]>`SELECT clock_timestamp() AS now`;
    if (!row) throw new Error('the database does not tell the time');
    return row.now;
  }

  /** The migrations that have run; undefined when we may not read their list, which an early one lets us. */
  async appliedMigrations(): Promise<string[] | undefined> {
    const [row] = await this.sql<{ readable: boolean | null }[]>`
      SELECT has_table_privilege(to_regclass('schema_migrations'), 'SELECT') AS readable`;
    if (!row?.readable) return undefined;
    const rows = await this.sql<{ version: string }[]>`SELECT version FROM schema_migrations`;
    return rows.map(({ version }) => version);
  }
}
