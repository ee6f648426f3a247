import { createApp } from './app.js';
import { ConfigError, loadConfig } from './config/config.js';
import { migrate } from './database/migrate.js';

const USAGE = `usage: cli <verb>

  migrate             bring the database's schema up to date
  openapi             print the OpenAPI document
  settings [--write]  compare .env.example and the README's table with the settings in code, or write them
`;

async function printOpenApi(): Promise<void> {
  const { openApiDocument } = await import('./http/openapi.js');
  const app = await createApp(loadConfig(documentationEnvironment()));
  await app.init();
  process.stdout.write(`${JSON.stringify(openApiDocument(app), null, 2)}\n`);
  await app.close();
}

/** The document says nothing of an installation: any secrets do, and nothing is connected to. */
function documentationEnvironment(): NodeJS.ProcessEnv {
  const names = ['DB_PASSWORD', 'JWT_SECRET', 'INTERNAL_SECRET', 'TURN_SECRET'];
  const stand = 'opens-nothing-it-only-fills-a-gap-in-the-settings';
  return { LOG_LEVEL: 'silent', ...Object.fromEntries(names.map((name) => [name, stand])) };
}

async function settings(mode: string | undefined): Promise<void> {
  const { compareDocumentation } = await import('./config/documentation.js');
  const stale = compareDocumentation(mode === '--write');
  if (stale.length === 0) return;
  console.error(`not equal to the settings in code: ${stale.join(', ')} (run: settings --write)`);
  process.exitCode = 1;
}

const VERBS: Record<string, (option?: string) => Promise<void>> = { migrate, openapi: printOpenApi, settings };

const [verb = '', option] = process.argv.slice(2);
const run = VERBS[verb];
if (run) {
  await run(option).catch((error: unknown) => {
    console.error(error instanceof ConfigError ? error.message : error);
    process.exitCode = 1;
  });
} else {
  process.stderr.write(USAGE);
  process.exitCode = 2;
}
