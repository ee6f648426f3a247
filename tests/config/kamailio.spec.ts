import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

/** Kamailio's configuration keeps the shape that makes it readable, and names nothing that differs per machine. */

const FOLDER = fileURLToPath(new URL('../../../kamailio/', import.meta.url));
const LONGEST_ROUTE = 40;

const read = (file: string): string => readFileSync(path.join(FOLDER, file), 'utf8');
const withoutComments = (text: string): string => text.replace(/^\s*#(?!!).*$/gm, '');
const namesIn = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, name, other = '']) => name ?? other);

const files = [
  'kamailio.cfg',
  ...['config', 'routes'].flatMap((folder) =>
    readdirSync(path.join(FOLDER, folder)).map((file) => `${folder}/${file}`),
  ),
];
const code = new Map(files.map((file) => [file, withoutComments(read(file))]));
const all = [...code.values()].join('\n');

/** Files whose code matches. */
const filesWith = (pattern: RegExp): string[] => files.filter((file) => pattern.test(code.get(file) ?? ''));

describe('the configuration of Kamailio', () => {
  it('begins with a table of contents that includes every file once', () => {
    expect(read('kamailio.cfg').split('\n').length).toBeLessThan(120);
    expect(namesIn(read('kamailio.cfg'), /^include_file "(.*)"$/gm).sort()).toEqual(
      files.filter((file) => file !== 'kamailio.cfg').sort(),
    );
  });

  it('relays in one file, and asks for media in one', () => {
    expect(filesWith(/\bt_relay/)).toEqual(['routes/relay.cfg']);
    expect(filesWith(/\brtpengine_\w+\(/)).toEqual(['routes/media.cfg']);
  });

  it('answers that nobody can be reached in one place', () => {
    expect(filesWith(/"480"/)).toEqual(['routes/locate.cfg']);
    expect(all.match(/"480"/g)).toHaveLength(1);
  });

  it('reads the environment in one file, and holds no address, port or secret anywhere else', () => {
    expect(filesWith(/\$env\(/)).toEqual(['config/environment.cfg']);
    expect(filesWith(/\d+\.\d+\.\d+\.\d+/)).toEqual([]);
    expect(filesWith(/:\d{3,5}\b/)).toEqual([]);
    expect(filesWith(/:\/\/[^"@]*:[^"@$]*@/)).toEqual([]);
  });

  it('has routes that are named by a verb in capitals, used, and short', () => {
    const defined = namesIn(all, /^\w*route\[(\w+)\]/gm).filter((name) => name !== 'xhttp');
    const used = new Set([
      ...namesIn(all, /\broute\((\w+)\)/g),
      ...namesIn(all, /\bt_on_\w+\("(\w+)"\)/g),
      ...namesIn(all, /\bt_continue\(.*"(\w+)"\)|;route=(\w+)"/g),
    ]);

    expect(defined.filter((name) => !/^[A-Z]+(_[A-Z]+)*$/.test(name))).toEqual([]);
    expect([...used].sort()).toEqual([...new Set(defined)].sort());
    const bodies = [...all.matchAll(/^\w*route\[([\w:]+)\] \{\n([\s\S]*?)^\}/gm)];
    expect(bodies.filter(([, , body = '']) => body.split('\n').length > LONGEST_ROUTE).map(([, name]) => name)).toEqual(
      [],
    );
  });

  it('is started only with everything that it reads', () => {
    const needed = namesIn(read('config/environment.cfg'), /\$env\((\w+)\)/g);
    const entrypoint = read('entrypoint.sh');

    expect(needed.filter((name) => !new RegExp(`\\b${name}\\b`).test(entrypoint))).toEqual([]);
  });

  it('is accepted by Kamailio, and shows no secret when it is printed', () => {
    const settings = Object.fromEntries(
      namesIn(read('config/environment.cfg'), /\$env\((\w+)\)/g).map((name) => [name, '10001']),
    );
    const addresses = {
      BIND_ADDRESS: '127.0.0.1',
      SERVER_IP: '127.0.0.1',
      INTERNAL_ADDRESS: '127.0.0.1',
      INTERNAL_NETWORK: '127.0.0.1/32',
      SIP_DOMAIN: 'veil.test',
      RUN_DIR: '/nonexistent',
    };
    const env = { ...process.env, ...settings, ...addresses, INTERNAL_SECRET: 'the-internal-secret' };
    const kamailio = (option: string): string =>
      execFileSync('kamailio', [option, '-f', path.join(FOLDER, 'kamailio.cfg')], {
        env,
        encoding: 'utf8',
        stdio: 'pipe',
      });

    expect(() => kamailio('-c')).not.toThrow();
    expect(kamailio('--cfg-print')).not.toContain('the-internal-secret');
  });
});
