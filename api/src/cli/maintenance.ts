import { createApp } from '../app.js';
import { loadConfig } from '../config/config.js';
import { migrate } from '../database/migrate.js';
import type { Verb, VerbInput } from './verb.js';

async function printOpenApi(): Promise<number> {
  const { openApiDocument } = await import('../http/openapi.js');
  const app = await createApp(loadConfig(documentationEnvironment()));
  await app.init();
  process.stdout.write(`${JSON.stringify(openApiDocument(app), null, 2)}\n`);
  await app.close();
  return 0;
}

async function bringUpToDate(): Promise<number> {
  await migrate();
  return 0;
}

/** The document says nothing of an installation: any secrets do, and nothing is connected to. */
function documentationEnvironment(): NodeJS.ProcessEnv {
  const names = [
    ...['DB_PASSWORD', 'JWT_SECRET', 'NAME_SECRET', 'MESSAGE_SECRET', 'INTERNAL_SECRET', 'TURN_SECRET'],
    'XMPP_COMPONENT_SECRET',
  ];
  const stand = 'opens-nothing-it-only-fills-a-gap-in-the-settings';
  return { LOG_LEVEL: 'silent', ...Object.fromEntries(names.map((name) => [name, stand])) };
}

async function settings({ options }: VerbInput): Promise<number> {
  const { compareDocumentation } = await import('../config/documentation.js');
  const stale = compareDocumentation(options.write === true);
  if (stale.length === 0) return 0;
  console.error(`not equal to the settings in code: ${stale.join(', ')} (run: settings --write)`);
  return 1;
}

/** For whoever builds or installs Veil. */
export const maintenanceVerbs: readonly Verb[] = [
  { name: 'migrate', about: "bring the database's schema up to date", run: bringUpToDate },
  { name: 'openapi', about: 'print the OpenAPI document', run: printOpenApi },
  {
    name: 'settings',
    about: "compare .env.example and the README's table with the settings in code",
    options: { write: { about: 'write them instead' } },
    run: settings,
  },
];
