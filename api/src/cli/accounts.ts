import type { INestApplicationContext } from '@nestjs/common';
import { Problem } from '../common/problem.js';
import { AccountDirectory } from '../features/account/account-directory.js';
import { AccountRemoval } from '../features/account/account-removal.js';
import { AccountSuspension } from '../features/account/account-suspension.js';
import { CODE_LIFETIMES, OneTimeCodes } from '../features/account/one-time-codes.js';
import { inApplication } from './application.js';
import { fieldsOf, jsonOf, tableOf } from './print.js';
import { textOption, UsageError, type Verb, type VerbInput } from './verb.js';

async function list({ options }: VerbInput): Promise<number> {
  const rows = await inApplication((app) => app.get(AccountDirectory).list());
  const accounts = rows.map(({ username, createdAt, seenAt, ...row }) => {
    return { name: username, ...row, created: createdAt, seen: seenAt };
  });
  const names = ['name', 'status', 'created', 'seen', 'sessions', 'devices', 'email'];
  process.stdout.write(options.json ? jsonOf(accounts) : tableOf(names, accounts));
  return 0;
}

/** Nobody knows the password of a fresh account: the code that is printed is for setting one. */
async function create(input: VerbInput): Promise<number> {
  const [name = ''] = input.arguments;
  const told = await inApplication(async (app) =>
    newResetCode(app, await app.get(AccountDirectory).add(name, textOption(input, 'email'))),
  );
  process.stdout.write(told);
  return 0;
}

type Found = Awaited<ReturnType<AccountDirectory['find']>>;

/** What a verb does to the account that it names; what it tells is printed. */
const toAccount =
  (work: (app: INestApplicationContext, account: Found) => Promise<string>) =>
  async ({ arguments: [name = ''] }: VerbInput): Promise<number> => {
    const told = await inApplication(async (app) => work(app, await app.get(AccountDirectory).find(name)));
    process.stdout.write(told);
    return 0;
  };

const suspend = toAccount(async (app, { id, jid }) => {
  const done = await app.get(AccountSuspension).suspend(id);
  if (done) return `${jid} is suspended\n`;
  return `${jid} is suspended; a server does not answer: what it holds open ends when it is back\n`;
});

const resume = toAccount(async (app, { id, jid, status }) => {
  if (status === 'active') return `${jid} is active\n`;
  const done = await app.get(AccountSuspension).resume(id);
  return done ? `${jid} is active\n` : `${jid} is let in as soon as the chat server is back\n`;
});

async function newResetCode(app: INestApplicationContext, { id, jid }: Pick<Found, 'id' | 'jid'>): Promise<string> {
  const code = await app.get(OneTimeCodes).issue(id, 'reset_password', CODE_LIFETIMES.resetByOperator);
  return fieldsOf({ account: jid, code, 'valid for': `${CODE_LIFETIMES.resetByOperator / 3600} hours` });
}

const resetPassword = toAccount(async (app, account) => {
  if (account.status === 'active') return newResetCode(app, account);
  throw new Problem('not_found', `${account.jid} is ${account.status}: a code opens active accounts only`);
});

const deleteAccount = toAccount(async (app, { id, username, jid, status }) => {
  const gone = status !== 'deleting' && (await app.get(AccountRemoval).remove({ id, username }));
  return gone ? `${jid} is deleted\n` : `${jid} is closed; the rest goes as soon as every server answers\n`;
});

async function confirmAndDelete(input: VerbInput): Promise<number> {
  if (input.options.yes) return deleteAccount(input);
  throw new UsageError('Nothing brings a deleted account back: say --yes');
}

const NAME = { arguments: ['NAME'] } as const;

/** NAME is the username of a new account; of one there is, also its JID or e-mail address. */
export const accountVerbs: readonly Verb[] = [
  {
    name: 'account create',
    about: 'make an account, and print a code with which the user sets a password',
    ...NAME,
    options: { email: { value: 'ADDRESS', about: 'another name to log in with' } },
    run: create,
  },
  { name: 'account list', about: 'list accounts', options: { json: { about: 'as JSON' } }, run: list },
  { name: 'account suspend', about: 'refuse an account everywhere; everything of it stays', ...NAME, run: suspend },
  { name: 'account resume', about: 'let a suspended account in again, with its old password', ...NAME, run: resume },
  {
    name: 'account reset-password',
    about: 'print a code with which the user sets a new password; until then the old one stays',
    ...NAME,
    run: resetPassword,
  },
  {
    name: 'account delete',
    about: 'remove an account and all that is stored of it, in every server',
    ...NAME,
    options: { yes: { about: 'really' } },
    run: confirmAndDelete,
  },
];
