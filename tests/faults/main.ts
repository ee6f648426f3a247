import { Audit } from './audit.js';
import { Census } from './census.js';
import { type Fault, freeze, kill, killChild, restart } from './faults.js';
import { Load } from './load.js';
import { headings, rowOf } from './table.js';
import { tryFault } from './trial.js';

/** Every server is killed and frozen while the platform is at work. Run by scripts/faults.sh. */
const FROZEN_MS = 8000;
const SERVERS = ['api', 'postgres', 'ejabberd', 'kamailio', 'coturn', 'rtpengine'] as const;
const FAULTS: Fault[] = [
  ...SERVERS.flatMap((server) => [kill(server), freeze(server, FROZEN_MS)]),
  killChild('postgres', /veil_api/),
  killChild('kamailio', /kamailio/),
  restart('api'),
];

const wanted = process.argv[2];
const load = await Load.prepare();
const census = new Census(load.prefix);
const audit = new Audit(load.world, census);
let violations = 0;
for (const line of headings()) console.log(line);
try {
  for (const fault of FAULTS.filter(({ what }) => !wanted || what.includes(wanted))) {
    const result = await tryFault(fault, load, audit);
    console.log(rowOf(result));
    for (const violation of result.violations) console.error(`  ${fault.what}: ${violation}`);
    violations += result.violations.length;
  }
} finally {
  await load.end();
  await Promise.all([audit.close(), census.close()]);
}
console.log(violations === 0 ? 'Nothing was violated.' : `${violations} violations`);
process.exitCode = violations === 0 ? 0 : 1;
