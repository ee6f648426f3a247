import { InvitesService } from '../features/invites/invites.service.js';
import { inApplication } from './application.js';
import { fieldsOf, jsonOf, tableOf } from './print.js';
import { numberOption, textOption, type Verb, type VerbInput } from './verb.js';

async function create(input: VerbInput): Promise<number> {
  const wanted = {
    uses: numberOption(input, 'uses', 1),
    days: numberOption(input, 'days', 7),
    note: textOption(input, 'note'),
  };
  const { code, id, expiresAt } = await inApplication((app) => app.get(InvitesService).create(wanted));
  process.stdout.write(fieldsOf({ code, id, uses: wanted.uses, expires: expiresAt }));
  return 0;
}

async function list({ options }: VerbInput): Promise<number> {
  const rows = await inApplication((app) => app.get(InvitesService).list());
  const invites = rows.map(({ id, note, uses, used, createdAt, expiresAt, revokedAt }) => {
    return { id, used, uses, created: createdAt, expires: expiresAt, revoked: revokedAt, note };
  });
  const names = ['id', 'used', 'uses', 'created', 'expires', 'revoked', 'note'];
  process.stdout.write(options.json ? jsonOf(invites) : tableOf(names, invites));
  return 0;
}

async function revoke({ arguments: [id = ''] }: VerbInput): Promise<number> {
  await inApplication((app) => app.get(InvitesService).revoke(id));
  return 0;
}

export const inviteVerbs: readonly Verb[] = [
  {
    name: 'invite create',
    about: 'print a code with which somebody can register',
    options: {
      uses: { value: 'N', about: 'how many accounts it is good for (1)' },
      days: { value: 'D', about: 'how long (7)' },
      note: { value: 'TEXT', about: 'whom it is for' },
    },
    run: create,
  },
  { name: 'invite list', about: 'list invites', options: { json: { about: 'as JSON' } }, run: list },
  { name: 'invite revoke', about: 'let nobody register by an invite any more', arguments: ['ID'], run: revoke },
];
