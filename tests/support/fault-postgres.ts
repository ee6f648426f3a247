import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type Fault, FaultPlan } from './fault-plan.js';
import { isRequestEnd, MessageReader, READY_FOR_QUERY, StatementNames } from './fault-postgres-protocol.js';

/**
 * A proxy before PostgreSQL that can fail at any request: a step is everything up to a Sync, or a simple Query, and is
 * named by its SQL. Opening a connection is no step, but a server that is away refuses that too.
 */
export class PostgresFaultProxy {
  readonly plan = new FaultPlan();
  /** Where requests wait that are none of an operation's. */
  readonly gate: Gate;
  private readonly server: Server;
  private readonly connections = new Set<Connection>();

  private constructor(targetPort: number, gated: RegExp) {
    this.gate = new Gate(gated);
    this.server = createServer((client) => {
      if (this.plan.away) client.destroy();
      else this.pass(client, connect({ host: '127.0.0.1', port: targetPort, noDelay: true }));
    });
  }

  /** @param gated SQL of requests that have to wait while the gate is closed */
  static async start(targetPort: number, gated: RegExp): Promise<PostgresFaultProxy> {
    const proxy = new PostgresFaultProxy(targetPort, gated);
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
    const connection = new Connection(client, backend, this.plan, this.gate);
    this.connections.add(connection);
    client.once('close', () => this.connections.delete(connection));
  }
}

/** Holds some requests back while it is closed. */
class Gate {
  private closed = false;
  private waiting: (() => void)[] = [];

  constructor(private readonly gated: RegExp) {}

  close(): void {
    this.closed = true;
  }

  open(): void {
    this.closed = false;
    for (const resume of this.waiting.splice(0)) resume();
  }

  holds(sql: string): boolean {
    return this.closed && this.gated.test(sql);
  }

  onceOpen(resume: () => void): void {
    this.waiting.push(resume);
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
  /** Whether a step is under way. */
  private working = false;
  private ended = false;
  private fault: Fault | undefined;
  /** What has arrived since the gate holds a request back. */
  private held: Buffer[] | undefined;

  constructor(
    private readonly client: Socket,
    private readonly backend: Socket,
    private readonly plan: FaultPlan,
    private readonly gate: Gate,
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
    this.ended = true;
    this.client.destroy();
    this.backend.destroy();
    this.rest();
  }

  private toBackend(message: Buffer): void {
    // What came in one piece with a step that was refused.
    if (this.ended) return;
    if (this.held) {
      this.held.push(message);
      return;
    }
    const sql = this.opening ? undefined : this.names.sqlOf(message);
    if (this.betweenSteps && sql !== undefined && this.gate.holds(sql)) {
      this.held = [message];
      this.gate.onceOpen(() => this.release());
      return;
    }
    if (!this.opening) this.follow(message, sql);
    if (this.fault === 'refuse') this.destroy();
    else if (this.fault !== 'hang') this.backend.write(message);
  }

  private release(): void {
    const messages = this.held ?? [];
    this.held = undefined;
    for (const message of messages) this.toBackend(message);
  }

  private follow(message: Buffer, sql: string | undefined): void {
    if (this.betweenSteps && sql !== undefined && !sql.includes(DRIVER_PREAMBLE)) {
      this.work();
      this.fault ??= this.plan.next(sql);
    }
    this.betweenSteps = isRequestEnd(message);
    if (this.betweenSteps) this.owed += 1;
  }

  private work(): void {
    if (!this.working) this.plan.enter();
    this.working = true;
  }

  private rest(): void {
    if (this.working) this.plan.leave();
    this.working = false;
  }

  private toClient(message: Buffer): void {
    const ready = message[0] === READY_FOR_QUERY;
    if (ready && this.opening) this.opening = false;
    else if (ready) this.owed -= 1;
    if (ready && this.owed === 0) this.rest();
    // Answers to the parts before the Sync pass: the client needs them to send it.
    if (this.fault !== 'apply_then_cut' || !this.betweenSteps) this.client.write(message);
    else if (ready && this.owed === 0) this.destroy();
  }
}
