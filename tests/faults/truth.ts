import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import axios from 'axios';
import postgres from 'postgres';
import { ejabberd } from '../support/ejabberd.js';
import type { Server } from '../support/host.js';
import { platform, secret } from '../support/platform.js';
import { addressOf, SipClient } from '../support/sip-client.js';

const PATIENCE_MS = 2000;
/** Whoever asks the API for its readiness waits so long: what it says in that time is an answer. */
export const READINESS_PATIENCE_MS = 4000;

const { host, ports } = platform;

/** How each server is asked in its own protocol whether it is there, past all others. */
const PROBES: Record<Server, () => Promise<unknown>> = {
  api: () => axios.get(`http://${host}:${ports.api}/health`, { proxy: false, timeout: READINESS_PATIENCE_MS }),
  postgres: askPostgres,
  ejabberd: () => ejabberd('status'),
  kamailio: askKamailio,
  coturn: () => askByDatagram(host, ports.turn, stunBinding()),
  rtpengine: () => askByDatagram('127.0.0.1', ports.rtpengineNg, Buffer.from('cookie d7:command4:pinge')),
};

/** Whether a server answers. */
export async function isUp(server: Server): Promise<boolean> {
  const patienceMs = server === 'api' ? READINESS_PATIENCE_MS : PATIENCE_MS;
  const late = new Promise<false>((resolve) => setTimeout(resolve, patienceMs, false).unref());
  const probe = PROBES[server]().then(
    () => true,
    () => false,
  );
  return Promise.race([probe, late]);
}

async function askPostgres(): Promise<void> {
  const options = { host, port: ports.database, database: 'veil', user: 'veil_migrate', max: 1, onnotice: () => {} };
  const sql = postgres({ ...options, password: secret('db_migrate_password'), connect_timeout: PATIENCE_MS / 1000 });
  try {
    await sql`SELECT 1`;
  } finally {
    await sql.end({ timeout: 0 });
  }
}

async function askKamailio(): Promise<void> {
  const client = await SipClient.open({ username: 'nobody', password: '' });
  try {
    await client.final(client.send('OPTIONS', addressOf('nobody')), PATIENCE_MS);
  } finally {
    client.close();
  }
}

async function askByDatagram(address: string, port: number, question: Buffer): Promise<void> {
  const socket = createSocket('udp4');
  try {
    socket.send(question, port, address);
    await once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) });
  } finally {
    socket.close();
  }
}

/** RFC 8489, 5: a Binding request without attributes. */
const stunBinding = (): Buffer => Buffer.concat([Buffer.from('000100002112a442', 'hex'), randomBytes(12)]);
