import type { Socket } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import type postgres from 'postgres';
import { Metrics } from '../common/metrics.js';
import { NeighbourTimes } from '../common/neighbour-times.js';
import { CONFIG, type Config } from '../config/config.js';
import { isDatabaseUnavailable } from './database-errors.js';

type Sql = postgres.Sql;
type Callable = Sql | postgres.TransactionSql;

/** How the database is used: how long each query takes, waiting for a connection included, and how much of the pool is taken. */
@Injectable()
export class DatabaseUse {
  private connections = 0;
  private queries = 0;

  constructor(
    @Inject(CONFIG) { database }: Config,
    private readonly times: NeighbourTimes,
    metrics: Metrics,
  ) {
    metrics.gauge('database_connections', 'Connections to PostgreSQL that are open', () => this.connections);
    metrics.gauge('database_connections_max', 'DB_POOL_SIZE', () => database.poolSize);
    metrics.gauge('database_queries', 'Queries that run or wait for a connection', () => this.queries);
  }

  /** Counts a connection of the pool for as long as it is open. */
  opened(socket: Socket): Socket {
    this.connections += 1;
    return socket.once('close', () => {
      this.connections -= 1;
    });
  }

  /** The same query function, whose queries and transactions are measured. */
  watch(sql: Sql): Sql {
    const begin = (work: (queries: postgres.TransactionSql) => Promise<unknown>) =>
      this.measure('transaction', () => sql.begin((queries) => work(this.watchQueries(queries))));
    return this.watchQueries(sql, { begin });
  }

  private watchQueries<T extends Callable>(sql: T, replaced: Record<string, unknown> = {}): T {
    return new Proxy(sql, {
      apply: (target, self, [strings, ...values]) => {
        const query: unknown = Reflect.apply(target, self, [strings, ...values]);
        return query instanceof Promise ? this.watchQuery(query, verbOf(strings)) : query;
      },
      get: (target, name) => replaced[String(name)] ?? Reflect.get(target, name),
    });
  }

  /** A query begins when somebody waits for it, and may be part of another instead: only waiting for it is measured. */
  private watchQuery<T>(query: Promise<T>, verb: string): Promise<T> {
    const begin = query.then.bind(query);
    let measured: Promise<T> | undefined;
    const then: Promise<T>['then'] = (onAnswer, onError) => {
      measured ??= this.measure(verb, () => this.count(new Promise((resolve, reject) => begin(resolve, reject))));
      return measured.then(onAnswer, onError);
    };
    // The very object stays: postgres.js looks for its own class where a query is part of another.
    Reflect.set(query, 'then', then);
    return query;
  }

  private async count<T>(query: Promise<T>): Promise<T> {
    this.queries += 1;
    try {
      return await query;
    } finally {
      this.queries -= 1;
    }
  }

  private measure<T>(operation: string, ask: () => PromiseLike<T>): Promise<T> {
    return this.times.measure('postgresql', operation, ask, isDatabaseUnavailable);
  }
}

/** The first word of a statement, which is text of ours: SELECT, INSERT … */
const verbOf = ([text = '']: readonly string[]): string => /^\s*(\w+)/.exec(text)?.[1]?.toUpperCase() ?? 'other';
