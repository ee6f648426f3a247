import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** slixmpp is a package of the system's own Python, whatever else the path would find. */
const PYTHON = '/usr/bin/python3';
const PROGRAM = fileURLToPath(new URL('../../support/xmpp_client.py', import.meta.url));

/** What a server said no with: the condition of a stanza, stream or SASL error. */
export class XmppRefusal extends Error {
  override readonly name = 'XmppRefusal';

  constructor(
    readonly condition: string,
    readonly text: string,
  ) {
    super(text ? `${condition}: ${text}` : condition);
  }
}

export type EventName = 'message' | 'presence' | 'closed';
export type Listener = (event: EventName, data: unknown) => void;

interface Answer {
  id: number;
  result?: unknown;
  error?: { condition: string; text: string };
}

interface Notice {
  client: string;
  event: EventName;
  data: unknown;
}

interface Pending {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

/**
 * One process of xmpp_client.py: it holds any number of clients, so that a story pays for starting it once. It keeps
 * no test alive: once nothing is asked of it any more, it ends with the test process.
 */
export class XmppDriver {
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly pending = new Map<number, Pending>();
  private readonly listeners = new Map<string, Listener>();
  private lastRequest = 0;

  constructor() {
    this.process = spawn(PYTHON, [PROGRAM]);
    let complaints = '';
    this.process.stderr.on('data', (data: Buffer) => {
      complaints += data.toString();
    });
    createInterface({ input: this.process.stdout }).on('line', (line) => this.receive(JSON.parse(line)));
    this.process.on('exit', (code) => this.abandon(new Error(`xmpp_client.py ended with ${code}: ${complaints}`)));
  }

  listen(client: string, listener: Listener): void {
    this.listeners.set(client, listener);
  }

  request(client: string, method: string, params: Record<string, unknown>): Promise<unknown> {
    this.lastRequest += 1;
    const id = this.lastRequest;
    // Passwords go this way and never as arguments, which every process of the machine can read.
    this.process.stdin.write(`${JSON.stringify({ id, client, method, params })}\n`);
    return new Promise((resolve, reject) => this.pending.set(id, { resolve, reject }));
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once('close', resolve));
    this.process.stdin.end();
    await ended;
  }

  private receive(line: Answer | Notice): void {
    if ('event' in line) {
      this.listeners.get(line.client)?.(line.event, line.data);
      return;
    }
    const pending = this.pending.get(line.id);
    this.pending.delete(line.id);
    if (line.error) pending?.reject(new XmppRefusal(line.error.condition, line.error.text));
    else pending?.resolve(line.result);
  }

  private abandon(error: Error): void {
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }
}
