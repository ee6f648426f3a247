import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import axios, { type AxiosInstance } from 'axios';
import postgres from 'postgres';
import { script } from './host.js';
import { platform, secret } from './platform.js';

/** Of the ports that tests/platform.sh leaves free: a second one for every server, and a few for media. */
const SERVER_PORTS = [
  ...['API_PORT', 'API_INTERNAL_PORT', 'DB_PORT', 'XMPP_PORT', 'XMPP_TLS_PORT', 'XMPP_WS_PORT', 'XMPP_HTTPS_PORT'],
  ...['XMPP_API_PORT', 'XMPP_COMPONENT_PORT', 'SIP_PORT', 'SIP_TLS_PORT', 'SIP_WSS_PORT', 'SIP_RPC_PORT'],
  ...['RTPENGINE_NG_PORT', 'TURN_PORT', 'TURN_TLS_PORT'],
  ...['RTP_MIN_PORT', 'RTP_MAX_PORT', 'TURN_MIN_PORT', 'TURN_MAX_PORT'],
];
const FIRST = platform.ports.api + 60;

/** The place of another platform on the same machine, with the same domain: where a backup is brought back. */
export class SecondPlatform {
  /** Holds its state, which must not be there before it is restored. */
  readonly home = mkdtempSync('/tmp/veil-second.');
  readonly directory = path.join(this.home, 'var');
  readonly settings: NodeJS.ProcessEnv = {
    VEIL_VAR: this.directory,
    ...Object.fromEntries(SERVER_PORTS.map((name, index) => [name, String(FIRST + index * 2)])),
  };

  port(name: string): number {
    return Number(this.settings[name]);
  }

  api(token?: string): AxiosInstance {
    return axios.create({
      baseURL: `http://${platform.host}:${this.port('API_PORT')}/api/v1`,
      headers: token ? { authorization: `Bearer ${token}` } : {},
      validateStatus: () => true,
      timeout: 20_000,
      proxy: false,
    });
  }

  /** Asks its databases, which have the passwords of the platform that was backed up. */
  async read<T>(database: 'veil' | 'ejabberd', use: (sql: postgres.Sql) => Promise<T>): Promise<T> {
    const [user, name] =
      database === 'veil' ? ['veil_migrate', 'db_migrate_password'] : ['ejabberd', 'db_ejabberd_password'];
    const port = this.port('DB_PORT');
    const sql = postgres({ host: platform.host, port, database, user, password: secret(name), max: 1 });
    try {
      return await use(sql);
    } finally {
      await sql.end();
    }
  }

  /** A new one, with nobody in it. */
  async start(settings: NodeJS.ProcessEnv = {}): Promise<void> {
    Object.assign(this.settings, settings);
    const { status, stderr } = await script('up.sh', this.settings);
    if (status !== 0) throw new Error(`the second platform does not start: ${stderr}`);
  }

  async remove(): Promise<void> {
    const { status, stderr } = await script('down.sh', this.settings);
    if (status !== 0) throw new Error(`the second platform does not stop: ${stderr}`);
    rmSync(this.home, { recursive: true });
  }
}
