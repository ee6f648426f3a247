import { readFileSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { normalEmail } from '../common/email.js';
import { Secret } from '../common/secret.js';

/** What a setting's text may be, and what it becomes. `parse` throws an Error whose message says what is expected. */
export interface Kind<T> {
  readonly parse: (raw: string) => T;
}

/** One environment variable: its name, its default as text (empty: derived or unset) and its documentation. */
export interface Setting<T> {
  readonly name: string;
  readonly kind: Kind<T>;
  readonly fallback: string;
  readonly doc: string;
  readonly secret: boolean;
}

/** Settings of one concern, in the order in which .env.example and the README list them. */
export interface Section {
  readonly title: string;
  readonly settings: Readonly<Record<string, Setting<unknown>>>;
}

export function setting<T>(name: string, kind: Kind<T>, fallback: string | number, doc: string): Setting<T> {
  return { name, kind, fallback: String(fallback), doc, secret: false };
}

/** A secret has no default and is also accepted as NAME_FILE. */
export function secretSetting(name: string, minimumLength: number, doc: string): Setting<Secret> {
  return { name, kind: secretText(minimumLength), fallback: '', doc, secret: true };
}

/** A secret that travels in an HTTP header: spaces and letters outside of ASCII do not survive there. */
export function headerSecretSetting(name: string, minimumLength: number, doc: string): Setting<Secret> {
  const { parse } = secretText(minimumLength);
  const visible = (raw: string) => (/^[!-~]*$/.test(raw) ? parse(raw) : expected('visible ASCII characters only'));
  return { name, kind: { parse: visible }, fallback: '', doc, secret: true };
}

/** A secret that need not be set: null then. */
export function optionalSecretSetting(name: string, minimumLength: number, doc: string): Setting<Secret | null> {
  const { parse } = secretText(minimumLength);
  return { name, kind: { parse: (raw) => (raw === '' ? null : parse(raw)) }, fallback: '', doc, secret: true };
}

/** A secret that somebody else made, of any length, or null: it opens a server that need not be there. */
export function foreignSecretSetting(name: string, doc: string): Setting<Secret | null> {
  return { name, kind: { parse: (raw) => (raw === '' ? null : new Secret(raw)) }, fallback: '', doc, secret: true };
}

const expected = (what: string): never => {
  throw new Error(`must be ${what}`);
};

export const text: Kind<string> = { parse: (raw) => raw };

export const port: Kind<number> = {
  parse: (raw) => {
    const value = Number(raw);
    return /^\d{1,5}$/.test(raw) && value >= 1 && value <= 65_535 ? value : expected('a port, 1 to 65535');
  },
};

export const integer = (minimum: number, maximum: number): Kind<number> => ({
  parse: (raw) => {
    const value = Number(raw);
    const fits = /^\d+$/.test(raw) && value >= minimum && value <= maximum;
    return fits ? value : expected(`a whole number from ${minimum} to ${maximum}`);
  },
});

/** 0, which has a meaning of its own, or a number that makes sense. */
export const zeroOr = (minimum: number, maximum: number): Kind<number> => ({
  parse: (raw) => (raw === '0' ? 0 : integer(minimum, maximum).parse(raw)),
});

export const ipAddress: Kind<string> = { parse: (raw) => (isIP(raw) ? raw : expected('an IP address')) };

const DOMAIN_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** A host name in lower case, or empty where the setting is derived from another. */
export const hostName: Kind<string> = {
  parse: (raw) => (raw === '' || DOMAIN_NAME.test(raw) || isIP(raw) ? raw : expected('a host name in lower case')),
};

export const url = (...protocols: string[]): Kind<string> => ({
  parse: (raw) => {
    if (raw === '') return raw;
    const parsed = URL.canParse(raw) ? new URL(raw) : undefined;
    return parsed && protocols.includes(parsed.protocol) ? raw : expected(`a URL with ${protocols.join(' or ')}`);
  },
});

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|\[?::1\]?|localhost)$/;

/** Whether a host name or address is this machine: what goes there crosses no wire. */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

/** An e-mail address in its normal form, or empty. */
export const emailAddress: Kind<string> = {
  parse: (raw) => (raw === '' ? raw : (normalEmail(raw) ?? expected('an e-mail address'))),
};

/** The text of the file that is named, or empty. */
export const textFile: Kind<string> = { parse: (raw) => (raw === '' ? raw : readText(raw)) };

/** Words separated by commas. */
export const wordList: Kind<string[]> = {
  parse: (raw) => {
    const words = raw.split(',').map((word) => word.trim());
    return words.filter((word) => word !== '');
  },
};

/** E-mail addresses in their normal form, separated by commas. */
export const emailAddresses: Kind<string[]> = {
  parse: (raw) =>
    wordList.parse(raw).map((word) => normalEmail(word) ?? expected('e-mail addresses, separated by commas')),
};

export const oneOf = <T extends string>(...values: readonly T[]): Kind<T> => ({
  parse: (raw) => values.find((value) => value === raw) ?? expected(`one of ${values.join(', ')}`),
});

/** Addresses or networks (a.b.c.d/n), separated by commas. */
export const networkList: Kind<string[]> = {
  parse: (raw) => {
    const networks = wordList.parse(raw);
    const valid = networks.every((entry) => isIP(entry.replace(/\/\d{1,3}$/, '')) !== 0);
    return valid ? networks : expected('IP addresses or networks, separated by commas');
  },
};

/** One network (a.b.c.d/n). */
export const network: Kind<string> = {
  parse: (raw) => (networkOf(raw) ? raw : expected('a network, a.b.c.d/n')),
};

function networkOf(raw: string): BlockList | undefined {
  const [address = '', prefix = ''] = raw.split('/');
  if (isIP(address) !== 4 || !/^([12]?\d|3[0-2])$/.test(prefix)) return undefined;
  const addresses = new BlockList();
  addresses.addSubnet(address, Number(prefix));
  return addresses;
}

/** Whether an address is in a network (a.b.c.d/n); a name never is. */
export const isWithin = (host: string, network: string): boolean =>
  isIP(host) === 4 && networkOf(network)?.check(host) === true;

/** Secrets that stand in documentation and examples protect nothing. */
const EXAMPLE_SECRET = /change[-_ ]?me|example|secret|password|default|^(.)\1+$/i;

function secretText(minimumLength: number): Kind<Secret> {
  return {
    parse: (raw) => {
      if (raw === '') return expected('set (or its _FILE variant)');
      if (raw.length < minimumLength) return expected(`at least ${minimumLength} characters long`);
      return EXAMPLE_SECRET.test(raw) ? expected('a generated secret, not an example') : new Secret(raw);
    },
  };
}

/** Reads settings from an environment and keeps every fault, so that an operator sees all of them at once. */
export class SettingReader {
  readonly faults: string[] = [];

  constructor(private readonly environment: NodeJS.ProcessEnv) {}

  /** The parsed value. A fault is noted and the setting's default stands in: the caller throws at the end. */
  readonly read = <T>(wanted: Setting<T>): T => {
    try {
      return wanted.kind.parse(this.raw(wanted));
    } catch (error) {
      // The value itself is never part of the message: it may be a secret in the wrong place.
      this.faults.push(`${wanted.name} ${error instanceof Error ? error.message : 'is not valid'}`);
      return undefined as T;
    }
  };

  /**
   * Notes a fault when the URL is plain HTTP to another machine.
   * @param why TLS is needed
   * @param own network that may go without
   */
  requireTls(wanted: Setting<string>, value: string | undefined, why: string, own?: string): void {
    if (!value?.startsWith('http:')) return;
    const { hostname } = new URL(value);
    if (isLoopback(hostname) || (own && isWithin(hostname, own))) return;
    this.faults.push(`${wanted.name} must be https: ${why}, and only loopback may go without TLS`);
  }

  private raw(wanted: Setting<unknown>): string {
    const given = this.environment[wanted.name];
    if (given) return given;
    const file = wanted.secret ? this.environment[`${wanted.name}_FILE`] : undefined;
    if (file) return readText(file).replace(/\r?\n$/, '');
    return wanted.fallback;
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new Error('names a file that cannot be read');
  }
}
