/** docs/retention.md says of each table how long what is in it is kept; a story compares the lists with the databases. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { TABLES_OF_ACCOUNTS, TABLES_OF_NOBODY } from '../support/account-tables.js';
import { checkout } from '../support/checkout.js';

const document = readFileSync(path.join(checkout, 'docs', 'retention.md'), 'utf8');

/** What stands in the first column below a heading. */
function rowsBelow(heading: string): string[] {
  const section = document.split(/^## /m).find((text) => text.startsWith(heading)) ?? '';
  const rows = [...section.matchAll(/^\| (.+?) \|/gm)].slice(1);
  return rows.flatMap(([, cell]) => [...cell!.matchAll(/`([a-z0-9_]+)`/g)].map(([, name]) => name!));
}

it('docs/retention.md names every table, and no other', () => {
  const named = [...rowsBelow('Database `veil`'), ...rowsBelow('Database `ejabberd`')];
  expect(named.sort()).toEqual([...TABLES_OF_ACCOUNTS, ...Object.keys(TABLES_OF_NOBODY)].sort());
});

it('its defaults are those of the settings', () => {
  const example = readFileSync(path.join(checkout, '.env.example'), 'utf8');
  const table = document.split(/^## /m).find((text) => text.startsWith('Settings')) ?? '';
  const told = [...table.matchAll(/^\| `(\w+_(?:DAYS|MB))` \| (\d+)/gm)].map(([, name, value]) => `${name}=${value}`);
  const set = [...example.matchAll(/^(?:\w+_DAYS|UPLOAD_QUOTA_MB|RELAY_HISTORY_MB)=\d+$/gm)].map(([line]) => line);
  expect(told.sort()).toEqual(set.sort());
});
