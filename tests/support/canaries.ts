import { randomBytes } from 'node:crypto';

/** Letters in the base64 of a text that depend on the bytes before it, by how many those are beyond a multiple of three. */
const SHARED_LETTERS = [0, 2, 3];

/** Erlang and Node break long texts and lists into pieces, a line each: this joins them. */
const joined = (text: string): string => text.replace(/"\s*\+?\s*"|'\s*\+\s*'/g, '').replace(/,\s+/g, ',');

/**
 * Everything that a text may look like in a log or a table, in lower case: plain, in a URL or in JSON, as hexadecimal or
 * decimal bytes, as base64 with anything before and after it.
 */
export function formsOf(text: string): string[] {
  const bytes = Buffer.from(text);
  const base64 = SHARED_LETTERS.flatMap((shared, before) => {
    const letters = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const own = letters.slice(shared, Math.floor(((before + bytes.length) * 8) / 6));
    return [own, own.replaceAll('+', '-').replaceAll('/', '_')];
  });
  const plain = [text, encodeURIComponent(text), JSON.stringify(text).slice(1, -1), text.replaceAll('-', '')];
  const forms = [...plain, bytes.toString('hex'), [...bytes].join(','), ...base64];
  return [...new Set(forms.map((form) => form.toLowerCase()))];
}

/**
 * Texts that occur nowhere else, put in the place of secrets and messages: what is found of one has leaked. Each has a name
 * that says what it stands for; several may share it.
 */
export class Canaries {
  /** What all of them begin with that were made here, so that one look finds any, also one that was cut short. */
  private readonly common = `cnry${randomBytes(4).toString('hex')}`;
  private readonly forms = new Map<string, string[]>();
  /** The forms of what occurs wherever a canary does. */
  readonly signs: string[] = formsOf(this.common);

  /** A new one: letters and digits, good for a password and for a name. */
  make(name: string): string {
    const value = `${this.common}${randomBytes(6).toString('hex')}`;
    this.add(name, value);
    return value;
  }

  /** A value that a server has made. Of a signed token it is the signature that makes it valid. */
  learn(name: string, value: string): string {
    const [, , signature] = value.split('.');
    this.add(name, signature ?? value);
    this.signs.push(...formsOf(signature ?? value));
    return value;
  }

  /** The names of those that occur in a text, in whatever form. */
  namesIn(text: string): string[] {
    const lower = text.toLowerCase();
    const haystack = `${lower}\n${joined(lower)}`;
    if (!this.signs.some((sign) => haystack.includes(sign))) return [];
    const names = [...this.forms].filter(([, forms]) => forms.some((form) => haystack.includes(form)));
    return names.length > 0 ? names.map(([name]) => name) : ['a part of one'];
  }

  /** The first lines in which one occurs, for whoever has to find out how it came there. */
  linesWith(text: string): string[] {
    const lines = text.split('\n').filter((line) => this.namesIn(line).length > 0);
    return lines.slice(0, 5).map((line) => line.slice(0, 400));
  }

  private add(name: string, value: string): void {
    this.forms.set(name, [...(this.forms.get(name) ?? []), ...formsOf(value)]);
  }
}
