import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import path from 'node:path';
import axios from 'axios';
import { certificateAuthority, platform } from './platform.js';
import { until } from './wait.js';

/** Of the ports that tests/platform.sh leaves free. */
const [API, MANAGEMENT, NAMES, CHALLENGES, UNUSED] = [20, 21, 22, 23, 24].map(
  (offset) => platform.ports.api + offset,
) as [...[number, number, number, number, number]];

/** An authority of ACME on loopback (pebble), which asks whoever it is to sign for, and finds every name at 127.0.0.1. */
export class AcmeServer {
  private constructor(private readonly processes: ChildProcess[]) {}

  /** @param directory for its configuration */
  static async start(directory: string): Promise<AcmeServer> {
    const configuration = path.join(directory, 'pebble.json');
    const tls = (file: string): string => path.join(platform.directory, 'tls', file);
    const pebble = {
      ...{ listenAddress: `127.0.0.1:${API}`, managementListenAddress: `127.0.0.1:${MANAGEMENT}` },
      ...{ certificate: tls('server.crt'), privateKey: tls('server.key'), httpPort: CHALLENGES, tlsPort: 1 },
    };
    writeFileSync(configuration, JSON.stringify({ pebble }));
    const off = ['-http01', '', '-https01', '', '-tlsalpn01', '', '-management', `127.0.0.1:${UNUSED}`];
    const names = ['-dns01', `127.0.0.1:${NAMES}`, '-defaultIPv4', '127.0.0.1', '-defaultIPv6', ''];
    const env = { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0' };
    const server = new AcmeServer([
      spawn('pebble-challtestsrv', [...names, ...off], { stdio: 'ignore' }),
      spawn('pebble', ['-config', configuration, '-dnsserver', `127.0.0.1:${NAMES}`], { stdio: 'ignore', env }),
    ]);
    await until('pebble answers', () => server.root());
    return server;
  }

  readonly settings: NodeJS.ProcessEnv = {
    ACME_EMAIL: 'operator@example.org',
    ACME_SERVER: `https://localhost:${API}/dir`,
    ACME_CA_FILE: platform.certificateAuthorityFile,
    ACME_HTTP_PORT: String(CHALLENGES),
  };

  /** The certificate of the authority. */
  async root(): Promise<string> {
    const httpsAgent = new Agent({ ca: certificateAuthority() });
    const { data } = await axios.get<string>(`https://localhost:${MANAGEMENT}/roots/0`, { httpsAgent, proxy: false });
    return data;
  }

  async stop(): Promise<void> {
    const running = this.processes.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    await Promise.all(running.map((child) => child.kill() && once(child, 'exit')));
  }
}
