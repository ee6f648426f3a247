import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { platform } from './platform.js';

const run = promisify(execFile);

/** A proxy in front of the API, as a deployment has one: with TLS, and with whatever is wrong with it. */
export class ApiFront {
  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  /** Without TLS; its clock is off by so much. */
  static async withClock(offsetMs: number): Promise<ApiFront> {
    return ApiFront.listen(createServer(forwarding(offsetMs)), 'http');
  }

  /** With a certificate of the platform's authority for a name, that ends after so many days. */
  static async withCertificate(name: string, days: number): Promise<ApiFront> {
    return ApiFront.listen(createTlsServer(await certificateFor(name, days), forwarding(0)), 'https');
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private static async listen(server: Server, scheme: string): Promise<ApiFront> {
    server.listen(0, platform.host);
    await once(server, 'listening');
    return new ApiFront(server, `${scheme}://localhost:${(server.address() as AddressInfo).port}`);
  }
}

const forwarding =
  (offsetMs: number) =>
  (asked: IncomingMessage, answer: ServerResponse): void => {
    const { method, url: path, headers } = asked;
    const onward = request({ host: platform.host, port: platform.ports.api, method, path, headers }, (reply) => {
      const date = new Date(Date.now() + offsetMs).toUTCString();
      answer.writeHead(reply.statusCode ?? 502, { ...reply.headers, date });
      reply.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    asked.pipe(onward);
  };

async function certificateFor(name: string, days: number): Promise<{ key: Buffer; cert: Buffer }> {
  const directory = mkdtempSync(path.join(tmpdir(), 'veil-front-'));
  const file = (base: string): string => path.join(directory, base);
  const authority = (extension: string): string => path.join(platform.directory, 'tls', `ca.${extension}`);
  try {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', file('key')];
    const subject = ['-subj', '/CN=front', '-addext', `subjectAltName=DNS:${name}`];
    await run('openssl', ['req', ...key, ...subject, '-out', file('request')]);
    const signed = [
      '-CA',
      authority('crt'),
      '-CAkey',
      authority('key'),
      '-days',
      String(days),
      '-copy_extensions',
      'copy',
    ];
    await run('openssl', ['x509', '-req', '-in', file('request'), ...signed, '-out', file('certificate')]);
    return { key: readFileSync(file('key')), cert: readFileSync(file('certificate')) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
