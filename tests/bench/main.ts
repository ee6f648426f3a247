import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { apiClient, registerAccount } from '../support/api.js';
import { OwnApi } from '../support/own-api.js';
import { platform, secret } from '../support/platform.js';
import { compare, median } from './wrk.js';

/** Speed as ratios in one run: ours against the bare library or server on the same work. Run by scripts/bench.sh. */
const CHECKOUT = fileURLToPath(new URL('../../../', import.meta.url));
const PAIRS = { pairs: 5, seconds: 3 };
const api = `http://${platform.host}:${platform.ports.api}/api/v1`;

const rows: string[][] = [['what', 'ours', 'reference', 'ratio', 'goal']];

async function startReference(task: object): Promise<{ url: string; stop: () => void }> {
  const child = fork(fileURLToPath(new URL('bare-server.js', import.meta.url)));
  child.send(task);
  const [port] = await once(child, 'message');
  return { url: `http://127.0.0.1:${port}`, stop: () => child.disconnect() };
}

const rate = (value: number): string => `${Math.round(value).toLocaleString('en')}/s`;

function row(what: string, goal: number, { ours, reference, ratio }: Awaited<ReturnType<typeof compare>>): void {
  rows.push([what, rate(ours), rate(reference), ratio.toFixed(2), `≥ ${goal}`]);
}

async function benchReads(): Promise<void> {
  const { token } = await registerAccount('bench');
  const headers = { authorization: `Bearer ${token}` };
  const [info, turn] = await Promise.all([apiClient().get('/server/info'), apiClient(token).get('/turn/credentials')]);
  const task = {
    info: info.data,
    turnUris: turn.data.uris,
    jwtSecret: secret('jwt_secret'),
    turnSecret: secret('turn_secret'),
  };
  const reference = await startReference(task);
  const connections = 50;
  const load = (url: string) => ({ url, connections, headers });
  row(
    'GET /server/info : bare Fastify',
    0.5,
    await compare(load(`${api}/server/info`), load(`${reference.url}/info`), PAIRS),
  );
  row(
    'GET /turn/credentials : bare Fastify',
    0.4,
    await compare(load(`${api}/turn/credentials`), load(`${reference.url}/turn`), PAIRS),
  );
  reference.stop();
}

async function benchLogin(): Promise<void> {
  const { username, password } = await registerAccount('bench');
  const ours = { url: `${api}/account/login`, connections: 4, body: { username, password } };
  const reference = {
    url: `http://127.0.0.1:${platform.ports.xmppApi}/api/v0/check_password`,
    connections: 4,
    headers: { host: platform.domain },
    body: { user: username, host: platform.domain, password },
  };
  row('POST /account/login : check_password', 0.9, await compare(ours, reference, PAIRS));
}

/** The median of several runs, in seconds. */
async function secondsOf(runs: number, work: () => Promise<void>): Promise<number> {
  const seconds: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const startedAt = performance.now();
    await work();
    seconds.push((performance.now() - startedAt) / 1000);
  }
  return median(seconds);
}

async function command(file: string): Promise<void> {
  const child = spawn('bash', [file], { cwd: CHECKOUT, stdio: 'ignore' });
  const [status] = await once(child, 'exit');
  if (status !== 0) throw new Error(`${file} ended with ${status}`);
}

async function benchStarts(): Promise<void> {
  const timed = (what: string, goal: string, seconds: number) =>
    rows.push([what, `${seconds.toFixed(2)} s`, '', '', goal]);
  const started: OwnApi[] = [];
  const start = async () => {
    started.push(await OwnApi.start({}));
  };
  timed('API from start to its first answer', '< 1.5 s', await secondsOf(5, start));
  await Promise.all(started.map((api) => api.stop()));
  timed('scripts/up.sh when everything runs', '< 15 s', await secondsOf(3, () => command('scripts/up.sh')));
  await command('scripts/down.sh');
  timed('scripts/up.sh after scripts/down.sh', '< 15 s', await secondsOf(1, () => command('scripts/up.sh')));
}

await benchLogin();
await benchReads();
await benchStarts();
for (const [index, cells] of rows.entries()) {
  console.log(`| ${cells.join(' | ')} |`);
  if (index === 0) console.log(`|${cells.map(() => '---').join('|')}|`);
}
