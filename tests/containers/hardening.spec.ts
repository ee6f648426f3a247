/**
 * What a container may do: next to nothing, as the configuration says and as the kernel does.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { breakHandshakes } from '../support/broken-handshakes.js';
import {
  type Container,
  compose,
  containers,
  docker,
  type Project,
  processesOf,
  project,
  serverOf,
  serviceOf,
} from '../support/containers.js';
import { platform } from '../support/platform.js';

/** They end before the servers begin. */
const STEPS = ['prepare', 'database', 'migrate'];
const SERVERS = ['db', 'ejabberd', 'kamailio', 'rtpengine', 'coturn', 'api', 'proxy', 'valkey', 'prometheus'];
/** The API's image; it answers nobody, and leaves a sign. */
const MONITOR = 'monitor';
/** Its image is somebody else's, and not here. */
const GRAFANA = 'grafana';
/** What the files that one server gets are called: it gets no other's. */
const PLACES: Record<string, string> = { db: 'postgres', monitor: 'api' };

let config: Project;
let running: Container[];

beforeAll(async () => {
  config = await project(GRAFANA);
  running = (await containers()).filter(({ State }) => State.Status === 'running');
});

describe('the configuration', () => {
  it('has these services and no other', () => {
    expect(Object.keys(config.services).sort()).toEqual([...STEPS, ...SERVERS, MONITOR, GRAFANA].sort());
  });

  it.each([...STEPS, ...SERVERS, MONITOR, GRAFANA])(
    'gives %s a root that is not written to, no capabilities, and limits',
    (name) => {
      const service = config.services[name]!;
      expect(service).toMatchObject({
        read_only: true,
        init: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        mem_limit: expect.stringMatching(/^\d+$/),
        pids_limit: expect.any(Number),
        ulimits: { nofile: expect.anything() },
        logging: { options: { 'max-size': expect.any(String), 'max-file': expect.any(String) } },
      });
      expect(service.privileged).toBeFalsy();
      expect(service.cap_add ?? []).toEqual(name === 'prepare' ? ['CHOWN', 'DAC_OVERRIDE', 'FOWNER'] : []);
    },
  );

  it.each(SERVERS)('restarts %s and asks whether it answers', (name) => {
    expect(config.services[name]).toMatchObject({
      restart: 'unless-stopped',
      healthcheck: { test: expect.arrayContaining(['/opt/veil/scripts/service.sh', 'healthcheck']) },
    });
  });

  it('restarts the monitor and Grafana, and asks whether they work', () => {
    expect(config.services[MONITOR]).toMatchObject({
      restart: 'unless-stopped',
      healthcheck: { test: expect.arrayContaining(['api', 'monitor-healthcheck']) },
    });
    expect(config.services[GRAFANA]).toMatchObject({
      restart: 'unless-stopped',
      healthcheck: { test: expect.arrayContaining(['http://127.0.0.1:3000/api/health']) },
    });
  });

  it('shows Grafana to the machine itself alone, and Prometheus to nobody', () => {
    expect(config.services[GRAFANA]?.ports).toMatchObject([{ host_ip: '127.0.0.1', target: 3000 }]);
    expect(Object.keys(config.services[GRAFANA]?.networks ?? {})).toEqual(['panel']);
    expect(config.services.prometheus?.ports).toBeUndefined();
  });

  it.each([...STEPS.slice(1), ...SERVERS, MONITOR])('lets %s see its own files only, and change none', (name) => {
    const own = PLACES[name] ?? name;
    const files = (config.services[name]!.volumes ?? []).filter(({ type }) => type === 'bind');
    for (const { source, read_only } of files) {
      expect(source).toMatch(new RegExp(`^${platform.directory}/(etc|${own}/(secrets|tls))$`));
      expect(read_only).toBe(true);
    }
  });

  it('keeps what clients do not need on a network that leads nowhere', () => {
    expect(config.networks.back).toMatchObject({ internal: true });
    expect(Object.keys(config.services.db?.networks ?? {})).toEqual(['back']);
    const onTheMachine = Object.keys(config.services).filter((name) => config.services[name]?.network_mode === 'host');
    expect(onTheMachine.sort()).toEqual(['coturn', 'rtpengine']);
  });

  it('joins no two servers by another network than the internal one, but for those that never call each other', () => {
    const shared = new Map<string, string[]>();
    for (const [name, { networks }] of Object.entries(config.services)) {
      for (const network of Object.keys(networks ?? {})) shared.set(network, [...(shared.get(network) ?? []), name]);
    }
    shared.delete('back');
    expect(Object.fromEntries(shared)).toEqual({
      front: ['ejabberd', 'kamailio'],
      web: ['proxy'],
      out: ['api'],
      alerts: [MONITOR],
      panel: [GRAFANA, 'prometheus'],
    });
  });
});

describe('the kernel', () => {
  it.each([...SERVERS, MONITOR])('gives no process of %s a capability, a way to get one, or root', async (name) => {
    const ours = running.filter((container) => serviceOf(container) === name);
    expect(ours.length).toBeGreaterThan(0);
    for (const container of ours) {
      const processes = await processesOf(container);
      expect(processes.length).toBeGreaterThan(1);
      for (const { status } of processes) {
        expect(status).toMatch(/^CapEff:\t0+$/m);
        expect(status).toMatch(/^CapBnd:\t0+$/m);
        expect(status).toMatch(/^NoNewPrivs:\t1$/m);
        expect(status).toMatch(/^Seccomp:\t2$/m);
        expect(status).not.toMatch(/^Uid:.*\b0\b/m);
      }
    }
  });
});

describe('the environment', () => {
  // Kamailio reads its one secret there.
  it.each([...SERVERS, MONITOR].filter((name) => name !== 'kamailio'))('of %s has no secret', async (name) => {
    const directory = path.join(platform.directory, 'secrets');
    const files = readdirSync(directory).map((file) => readFileSync(path.join(directory, file), 'utf8').trim());
    const password = new URL(readFileSync(path.join(directory, 'redis_url'), 'utf8').trim()).password;
    expect(password).not.toBe('');
    for (const container of running.filter((one) => serviceOf(one) === name)) {
      const environment = readFileSync(`/proc/${await serverOf(container)}/environ`, 'utf8');
      expect([...files, password].filter((secret) => environment.includes(secret))).toEqual([]);
    }
  });
});

describe('TLS handshakes that fail, many at once,', () => {
  it('end no process of kamailio', async () => {
    const before = await containers('kamailio');

    await breakHandshakes(platform.ports.sipTls, 3000);

    expect((await containers('kamailio')).map(({ State }) => State.StartedAt)).toEqual(
      before.map(({ State }) => State.StartedAt),
    );
    expect(await compose('logs', '--no-log-prefix', 'kamailio')).not.toContain('freeing already freed pointer');
  });
});

describe('a secret', () => {
  const directory = path.join(platform.directory, 'secrets');
  const secretOf = (name: string): string => readFileSync(path.join(directory, name), 'utf8');
  /** These are made here: an address with a password in it, and a key. */
  const made = ['redis_url', 'vapid_private_key'];
  const brought = readdirSync(directory).filter((name) => !made.includes(name));

  it('may have any character, and is what everything here was started with', () => {
    expect(brought.length).toBeGreaterThan(8);
    for (const name of brought) {
      const signs = ['"', "'", '&', '/', '\\', '$', '`', '#', ...(name === 'internal_secret' ? [] : [' '])];
      expect(signs.filter((sign) => !secretOf(name).includes(sign))).toEqual([]);
    }
  });

  it('is not in what the engine shows of a container, in a log, or in a process list', async () => {
    const ids = running.map(({ Id }) => Id);
    const lists = await Promise.all(ids.map((id) => docker('top', id, '-o', 'pid,args')));
    const shown = [await docker('inspect', ...ids), await compose('logs', '--no-color'), ...lists].join('\n');
    for (const name of brought) expect(shown).not.toContain(secretOf(name).slice(-32));
    const [, password] = /:([0-9a-f]{64})@/.exec(secretOf('redis_url')) ?? [];
    for (const secret of [password!, secretOf('vapid_private_key')]) expect(shown).not.toContain(secret);
  });

  it('is only where its owner and the server that needs it read it', () => {
    for (const name of readdirSync(directory)) expect(statSync(path.join(directory, name)).mode & 0o777).toBe(0o600);
    expect(readdirSync(path.join(platform.directory, 'coturn', 'secrets'))).toEqual(['turn_secret']);
    expect(readdirSync(path.join(platform.directory, 'proxy', 'secrets'))).toEqual([]);
    expect(readdirSync(path.join(platform.directory, 'rtpengine', 'secrets'))).toEqual(['redis_url']);
  });
});
