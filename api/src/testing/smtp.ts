import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** A mail as it arrived: whom the envelope names, what came, and the text in it. */
export interface ReceivedMail {
  from: string;
  to: string[];
  raw: string;
  text: string;
  /** Whether it came over TLS, and as whom the sender had logged in. */
  secure: boolean;
  user: string | undefined;
}

type Step = 'connect' | 'from' | 'to' | 'data';

/** How the mail server answers at a step: with a status of SMTP, or by cutting the line. */
interface Fault {
  step: Step;
  status: number | 'cut';
}

const CERTIFICATES = fileURLToPath(new URL('../../../scripts/lib/self-signed.sh', import.meta.url));

/** A mail server on loopback (smtp-server) that keeps what it takes and fails when it is told to. */
export class TestMailServer {
  readonly mails: ReceivedMail[] = [];
  private readonly faults: Fault[] = [];
  private server: SMTPServer | undefined;
  private readonly directory = mkdtempSync(path.join(tmpdir(), 'veil-smtp-'));
  private port = 0;

  private constructor(private readonly security: 'none' | 'starttls' | 'tls') {
    if (security !== 'none') execFileSync(CERTIFICATES, [this.directory, 'localhost']);
  }

  static async start(security: 'none' | 'starttls' | 'tls' = 'none'): Promise<TestMailServer> {
    const server = new TestMailServer(security);
    await server.up();
    return server;
  }

  /** Settings that point the API here. */
  get environment() {
    const login = this.security === 'none' ? {} : { SMTP_USER: 'veil', SMTP_PASSWORD: 'open sesame' };
    return {
      SMTP_HOST: 'localhost',
      SMTP_PORT: String(this.port),
      SMTP_SECURITY: this.security,
      SMTP_FROM: 'no-reply@veil.test',
      ...(this.security === 'none' ? {} : { SMTP_CA_FILE: path.join(this.directory, 'ca.crt') }),
      ...login,
    };
  }

  /** The next time that a sender comes to this step, it fails. */
  failNext(step: Step, status: Fault['status']): void {
    this.faults.push({ step, status });
  }

  /** Listens, on the same port as before. */
  async up(): Promise<void> {
    const server = new SMTPServer(this.options());
    server.on('error', () => {});
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.server = server;
    this.port = (server.server.address() as AddressInfo).port;
  }

  async down(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server) await new Promise<void>((resolve) => server.close(resolve));
  }

  async stop(): Promise<void> {
    await this.down();
    rmSync(this.directory, { recursive: true });
  }

  private options(): SMTPServerOptions {
    const read = (file: string) => readFileSync(path.join(this.directory, file));
    return {
      ...(this.security === 'none'
        ? { disabledCommands: ['STARTTLS', 'AUTH'] }
        : { key: read('server.key'), cert: read('server.crt'), secure: this.security === 'tls' }),
      closeTimeout: 100,
      onConnect: (_, done) => done(this.faultAt('connect')),
      onAuth: ({ username, password }, _, done) => {
        if (username === 'veil' && password === 'open sesame') done(null, { user: username });
        else done(new Error('wrong'));
      },
      onMailFrom: (_, __, done) => done(this.faultAt('from')),
      onRcptTo: (_, __, done) => done(this.faultAt('to')),
      onData: (stream, { envelope, secure, user }, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const fault = this.faultAt('data');
          if (fault) return done(fault);
          const from = envelope.mailFrom ? envelope.mailFrom.address : '';
          const to = envelope.rcptTo.map(({ address }) => address);
          const raw = Buffer.concat(chunks).toString();
          this.mails.push({ from, to, raw, text: textOf(raw), secure, user });
          done();
        });
      },
    };
  }

  private faultAt(step: Step): Error | null {
    const index = this.faults.findIndex((fault) => fault.step === step);
    const [fault] = index < 0 ? [] : this.faults.splice(index, 1);
    if (!fault) return null;
    if (fault.status !== 'cut') return Object.assign(new Error('as the test told it'), { responseCode: fault.status });
    for (const { _socket } of this.server?.connections ?? []) _socket.destroy();
    return null;
  }
}

/** The text of a mail without its transfer encoding, 7bit or quoted-printable (RFC 2045 §6.7), of ASCII. */
function textOf(raw: string): string {
  const [headers = '', ...parts] = raw.split('\r\n\r\n');
  const text = parts.join('\r\n\r\n');
  if (!/^content-transfer-encoding: quoted-printable$/im.test(headers)) return text;
  const unfolded = text.replaceAll('=\r\n', '');
  return unfolded.replace(/=([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
