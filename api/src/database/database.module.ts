import type { Socket } from 'node:net';
import { Global, Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import postgres from 'postgres';
import { CONFIG, type Config } from '../config/config.js';
import { DatabaseSocket } from './database-socket.js';
import { DatabaseUse } from './database-use.js';

/** Injection token of the tagged-template query function; only repositories ask for it. */
export const SQL = Symbol('Sql');

export type Sql = postgres.Sql;
/** A query function or a transaction: what a repository method runs on. */
export type Queries = postgres.ISql;

/** In deadlines of a statement, which the server itself keeps to when it can. */
const PATIENCE = 1.2;

/**
 * Opens the pool. Connections are made on demand: a database that is down fails requests, not the start.
 * A connection on which nothing moves for longer than any query may take is cut: a frozen server must not
 * hold requests. Idle ones are closed before that.
 * @param opened is told of each connection
 */
export function connect({ database, ports, neighbours }: Config, opened = (socket: Socket) => socket): Sql {
  return postgres({
    host: database.host,
    port: ports.database,
    database: database.name,
    username: database.user,
    password: () => database.password.reveal(),
    max: database.poolSize,
    socket: () => opened(DatabaseSocket.open(database.host, ports.database, PATIENCE * neighbours.timeoutMs)),
    idle_timeout: neighbours.timeoutMs / 1000,
    // A restarted database is found again at once, not after a pause that grows.
    backoff: () => 0.2,
    connect_timeout: Math.ceil(neighbours.timeoutMs / 1000),
    connection: { application_name: 'veil-api', statement_timeout: neighbours.timeoutMs },
    onnotice: () => {},
  } as postgres.Options<Record<string, never>>);
}

/**
 * postgres.js asks each new connection for the types of arrays, and catches nothing when that is where it ends: a database
 * that went away in that moment would take the process with it. Whoever asked something himself is told as ever.
 */
const surviveMissedFailure = (reason: unknown): void => {
  if (!DatabaseSocket.isFailure(reason)) throw reason;
};

function connectAndWatch(config: Config, use: DatabaseUse): Sql {
  process.off('unhandledRejection', surviveMissedFailure).on('unhandledRejection', surviveMissedFailure);
  return use.watch(connect(config, (socket) => use.opened(socket)));
}

@Injectable()
class DatabaseShutdown implements OnApplicationShutdown {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  async onApplicationShutdown(): Promise<void> {
    await this.sql.end({ timeout: 5 });
  }
}

@Global()
@Module({
  providers: [
    DatabaseUse,
    { provide: SQL, useFactory: connectAndWatch, inject: [CONFIG, DatabaseUse] },
    DatabaseShutdown,
  ],
  exports: [SQL],
})
export class DatabaseModule {}
