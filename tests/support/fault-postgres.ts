import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type Fault, FaultPlan } from './fault-plan.js';
import { isRequestEnd, MessageReader, READY_FOR_QUERY, StatementNames } from './fault-postgres-protocol.js';

/**
 * A proxy before PostgreSQL that can fail at any request: a step is everything up to a Sync, or a simple Query, and is
 * named by its SQL. Opening a connection is no step, but a server that is away refuses that too.
 */
export class PostgresFaultProxy {
  readonly plan = new FaultPlan();
  private readonly server: Server;
  private readonly connections = new Set<Connection>();

  private constructor(targetPort: number) {
    this.server = createServer((client) => {
      if (this.plan.away) client.destroy();
      else this.pass(client, connect({ host: '127.0.0.1', port: targetPort, noDelay: true }));
    });
  }

  static async start(targetPort: number): Promise<PostgresFaultProxy> {
    const proxy = new PostgresFaultProxy(targetPort);
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const connection of this.connections) connection.destroy();
    await closed;
  }

  private pass(client: Socket, backend: Socket): void {
    const connection = new Connection(client, backend, this.plan);
    this.connections.add(connection);
    client.once('close', () => this.connections.delete(connection));
  }
}

/** What postgres.js asks on every new connection before anything else: it belongs to opening it. */
const DRIVER_PREAMBLE = 'from pg_catalog.pg_type';

/** One client and its backend. Either ends with the other, so that no lock outlives a client that gave up. */
class Connection {
  private readonly names = new StatementNames();
  private opening = true;
  /** Whether the next message from the client begins a step. */
  private betweenSteps = true;
  /** Requests that were forwarded and not yet answered in full. */
  private owed = 0;
  private fault: Fault | undefined;

  constructor(
    private readonly client: Socket,
    private readonly backend: Socket,
    private readonly plan: FaultPlan,
  ) {
    client.setNoDelay(true);
    const fromClient = new MessageReader({ startsUntyped: true }, (message) => this.toBackend(message));
    const fromBackend = new MessageReader({ startsUntyped: false }, (message) => this.toClient(message));
    client.on('data', (chunk) => fromClient.read(chunk)).on('error', () => {});
    backend.on('data', (chunk) => fromBackend.read(chunk)).on('error', () => {});
    client.once('close', () => this.destroy());
    backend.once('close', () => this.destroy());
  }

  destroy(): void {
    this.client.destroy();
    this.backend.destroy();
  }

  private toBackend(message: Buffer): void {
    if (!this.opening) this.follow(message);
    if (this.fault === 'refuse') this.destroy();
    else if (this.fault !== 'hang') this.backend.write(message);
  }

  private follow(message: Buffer): void {
    const sql = this.names.sqlOf(message);
    if (this.betweenSteps && sql !== undefined && !sql.includes(DRIVER_PREAMBLE)) this.fault ??= this.plan.next(sql);
    this.betweenSteps = isRequestEnd(message);
    if (this.betweenSteps) this.owed += 1;
  }

  private toClient(message: Buffer): void {
    const ready = message[0] === READY_FOR_QUERY;
    if (ready && this.opening) this.opening = false;
    else if (ready) this.owed -= 1;
    // Answers to the parts before the Sync pass: the client needs them to send it.
    if (this.fault !== 'apply_then_cut' || !this.betweenSteps) this.client.write(message);
    else if (ready && this.owed === 0) this.destroy();
  }
}
