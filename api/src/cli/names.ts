import { RetiredNames } from '../features/account/retired-names.js';
import { foldUsername } from '../features/account/username.js';
import { inApplication } from './application.js';
import { UsageError, type Verb, type VerbInput } from './verb.js';

async function free({ arguments: [name = ''] }: VerbInput): Promise<number> {
  const username = foldUsername(name);
  if (!username) throw new UsageError(`${name} can't be a name`);
  const wasTaken = await inApplication((app) => app.get(RetiredNames).release(username));
  process.stdout.write(wasTaken ? `${username} can be registered again\n` : `${username} was not kept from anybody\n`);
  return 0;
}

export const nameVerbs: readonly Verb[] = [
  { name: 'name free', about: 'let the name of a deleted account be registered again', arguments: ['NAME'], run: free },
];
