import { describe, expect, it } from '@jest/globals';
import { normalEmail } from './email.js';

describe('e-mail addresses', () => {
  it.each([
    ['alice@example.org', 'alice@example.org'],
    ['  Alice.B+veil@Example.ORG ', 'alice.b+veil@example.org'],
    ['jose\u0301@example.org', 'jos\u00e9@example.org'],
    ['JOS\u00c9@example.org', 'jos\u00e9@example.org'],
    ['bob@B\u00fccher.example', 'bob@xn--bcher-kva.example'],
    ['bob@XN--BCHER-KVA.example', 'bob@xn--bcher-kva.example'],
    ["o'brien_x@mail.example.org", "o'brien_x@mail.example.org"],
  ])('%s is kept as %s', (typed, kept) => {
    expect(normalEmail(typed)).toBe(kept);
    expect(normalEmail(kept)).toBe(kept);
  });

  it.each([
    '',
    'alice',
    '@example.org',
    'alice@',
    'alice@localhost',
    'a b@example.org',
    '"a b"@example.org',
    'a@b@example.org',
    'alice@example.org, bob@example.org',
    'Alice <alice@example.org>',
    'alice@example.org\r\nBcc: bob@example.org',
    'alice@exa\nmple.org',
    'alice\u0000@example.org',
    'alice@ex%61mple.org',
    'alice@[127.0.0.1]',
    `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(63)}.org`,
  ])('%j is none', (typed) => expect(normalEmail(typed)).toBeNull());
});
