import { describe, expect, it } from '@jest/globals';
import { findVerb, helpOf, listOf, numberOption, readInput, textOption, UsageError, type Verb } from './verb.js';

const run = async (): Promise<number> => 0;
const create: Verb = {
  name: 'account create',
  about: 'create an account',
  arguments: ['NAME'],
  options: { email: { value: 'ADDRESS', about: 'its address' }, json: { about: 'as JSON' } },
  run,
};
const verbs: Verb[] = [{ name: 'migrate', about: 'migrate the database', run }, create];

const refusal = (work: () => unknown): UsageError => {
  try {
    work();
  } catch (error) {
    if (error instanceof UsageError) return error;
  }
  throw new Error('nothing was refused');
};

describe('a command line', () => {
  it('calls the verb whose words it begins with', () => {
    expect(findVerb(verbs, ['migrate'])).toEqual({ verb: verbs[0], rest: [] });
    expect(findVerb(verbs, ['account', 'create', 'alice'])).toEqual({ verb: create, rest: ['alice'] });
  });

  it.each([
    [[], '', /migrate.*account create/s],
    [['acount', 'create'], 'acount is no verb', /migrate.*account create/s],
    [['account'], 'account needs one of these verbs', /account create NAME/],
    [['account', 'crate'], 'account needs one of these verbs', /account create NAME/],
  ])('is answered with the verbs there are when it is %j', (line, message, help) => {
    const error = refusal(() => findVerb(verbs, line));
    expect(error.message).toBe(message);
    expect(error.help).toMatch(help);
  });
});

describe('what follows a verb', () => {
  it('is read, options before or after arguments', () => {
    const expected = { arguments: ['alice'], options: { email: 'a@mail.test', json: true } };
    expect(readInput(create, ['alice', '--email', 'a@mail.test', '--json'])).toEqual(expected);
    expect(readInput(create, ['--json', '--email=a@mail.test', 'alice'])).toEqual(expected);
    expect(readInput(create, ['alice'])).toEqual({ arguments: ['alice'], options: {} });
  });

  it.each([
    [[], 'NAME is missing'],
    [['alice', 'bob'], 'bob is one argument too many'],
    [['alice', '--emial', 'x'], "Unknown option '--emial'"],
    [['alice', '--email'], "Option '--email <value>' argument missing"],
    [['alice', '--json=yes'], "Option '--json' does not take an argument"],
  ])('is refused with the help of the verb when it is %j', (rest, message) => {
    const error = refusal(() => readInput(create, rest));
    expect(error.message).toBe(message);
    expect(error.help).toBe(helpOf(create));
  });
});

describe('the value of an option', () => {
  const input = (options: Record<string, string>) => ({ arguments: [], options });

  it('is a whole number, or its default', () => {
    expect(numberOption(input({ uses: '7' }), 'uses', 1)).toBe(7);
    expect(numberOption(input({}), 'uses', 1)).toBe(1);
    for (const uses of ['-1', '1.5', 'many', '', '1e1', '9'.repeat(16)]) {
      const error = refusal(() => numberOption(input({ uses }), 'uses', 1));
      expect(error.message).toBe('--uses must be a whole number');
    }
  });

  it('is its text, or undefined', () => {
    expect(textOption(input({ note: 'for Bob' }), 'note')).toBe('for Bob');
    expect(textOption(input({}), 'note')).toBeUndefined();
  });
});

describe('the help', () => {
  it('lists every verb in two columns', () => {
    expect(listOf(verbs).split('\n').slice(2, 4)).toEqual([
      '  migrate                                         migrate the database',
      '  account create NAME [--email ADDRESS] [--json]  create an account',
    ]);
  });

  it('of a verb tells its options', () => {
    expect(helpOf(create)).toBe(
      'usage: veil.sh account create NAME [--email ADDRESS] [--json]\n\ncreate an account\n\n' +
        '  --email ADDRESS  its address\n  --json           as JSON\n',
    );
  });
});
