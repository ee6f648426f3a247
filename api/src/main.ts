import { createApp } from './app.js';
import { ConfigError, loadConfig } from './config/config.js';
import { InternalListener } from './http/internal-listener.js';

async function main(): Promise<void> {
  const config = loadConfig();
  const app = await createApp(config);
  await app.listen(config.ports.api, config.addresses.bind);
  await app.get(InternalListener).listen(config.ports.apiInternal, config.addresses.internalBind);
}

main().catch((error: unknown) => {
  // A fault in the settings is the operator's to mend: a stack would only hide the list.
  console.error(error instanceof ConfigError ? error.message : error);
  process.exit(1);
});
