import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { SMTPServer } from 'smtp-server';
import { platform } from './platform.js';
import { until } from './wait.js';

const LOGIN = { user: 'veil', password: 'open sesame' };
const CODE = /([0-9A-Z]{5}-){3}[0-9A-Z]{5}/;

/** A mail server on loopback, with the platform's certificate, that keeps what comes over TLS from whoever may send. */
export class MailServer {
  private readonly mails: { to: string; text: string }[] = [];
  private readonly server: SMTPServer;

  private constructor() {
    const tls = (file: string): Buffer => readFileSync(path.join(platform.directory, 'tls', file));
    this.server = new SMTPServer({
      secure: true,
      key: tls('server.key'),
      cert: tls('server.crt'),
      onAuth: ({ username, password }, _, done) => {
        const isRight = username === LOGIN.user && password === LOGIN.password;
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

  static async start(): Promise<MailServer> {
    const mailServer = new MailServer();
    await new Promise<void>((resolve) => mailServer.server.listen(0, '127.0.0.1', resolve));
    return mailServer;
  }

  /** Settings that point the API here. */
  get settings(): NodeJS.ProcessEnv {
    return {
      SMTP_HOST: 'localhost',
      SMTP_PORT: String((this.server.server.address() as AddressInfo).port),
      SMTP_SECURITY: 'tls',
      SMTP_CA_FILE: platform.certificateAuthorityFile,
      SMTP_USER: LOGIN.user,
      SMTP_PASSWORD: LOGIN.password,
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
    return mails.map(({ text }) => text.replace(/=\r?\n/g, ''));
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.server.close(resolve));
  }
}
