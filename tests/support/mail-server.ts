import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { SMTPServer } from 'smtp-server';
import { platform } from './platform.js';
import { until } from './wait.js';

const USER = 'veil';
const CODE = /([0-9A-Z]{5}-){3}[0-9A-Z]{5}/;

/** Where the server is, and the password of whoever may send there. */
interface Place {
  /** A name that the platform's certificate has. */
  host: string;
  address: string;
  /** 0: any that is free. */
  port: number;
  password: string;
}

const LOOPBACK: Place = { host: 'localhost', address: '127.0.0.1', port: 0, password: 'open sesame' };

/** A mail server, on loopback unless it is told where, with the platform's certificate, that keeps what comes over TLS from whoever may send. */
export class MailServer {
  private readonly mails: { to: string; text: string }[] = [];
  private readonly server: SMTPServer;

  private constructor(private readonly place: Place) {
    const tls = (file: string): Buffer => readFileSync(path.join(platform.directory, 'tls', file));
    this.server = new SMTPServer({
      secure: true,
      key: tls('server.key'),
      cert: tls('server.crt'),
      onAuth: ({ username, password }, _, done) => {
        const isRight = username === USER && password === place.password;
        done(isRight ? null : new Error('wrong'), isRight ? { user: username } : undefined);
      },
      onData: (stream, { envelope }, done) => {
        let text = '';
        stream.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        stream.on('end', () => {
          for (const { address } of envelope.rcptTo) this.mails.push({ to: address, text });
          done();
        });
      },
    });
  }

  static async start(place: Place = LOOPBACK): Promise<MailServer> {
    const mailServer = new MailServer(place);
    await new Promise<void>((resolve) => mailServer.server.listen(place.port, place.address, resolve));
    return mailServer;
  }

  /** Settings that point the API here. */
  get settings(): NodeJS.ProcessEnv {
    return {
      SMTP_HOST: this.place.host,
      SMTP_PORT: String((this.server.server.address() as AddressInfo).port),
      SMTP_SECURITY: 'tls',
      SMTP_CA_FILE: platform.certificateAuthorityFile,
      SMTP_USER: USER,
      SMTP_PASSWORD: this.place.password,
      SMTP_FROM: 'no-reply@veil.test',
    };
  }

  /** The next mail to the address; each is read once. */
  async read(address: string): Promise<string> {
    return until(`a mail comes to ${address}`, () => {
      const index = this.mails.findIndex(({ to }) => to === address);
      return index < 0 ? null : this.mails.splice(index, 1)[0]!.text;
    });
  }

  /** The code in the next mail to the address. */
  async readCode(address: string): Promise<string> {
    const text = await this.read(address);
    return CODE.exec(text)?.[0] ?? `no code in: ${text}`;
  }

  /** What has come to the address and was not read yet, with long lines as they were before they were folded. */
  texts(address: string): string[] {
    const mails = this.mails.filter(({ to }) => to === address);
    return mails.map(({ text }) => unfolded(text.replace(/=\r?\n/g, '')));
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.server.close(resolve));
  }
}

/** A long field of the head goes on in the next line (RFC 5322, 2.2.3). */
function unfolded(text: string): string {
  const [head = ''] = text.split(/\r?\n\r?\n/, 1);
  return head.replace(/\r?\n(?=[ \t])/g, '') + text.slice(head.length);
}
