import { accountVerbs } from './cli/accounts.js';
import { certificateVerbs } from './cli/certificate.js';
import { complaintOf } from './cli/complaint.js';
import { doctorVerbs } from './cli/doctor.js';
import { inviteVerbs } from './cli/invites.js';
import { maintenanceVerbs } from './cli/maintenance.js';
import { monitorVerbs } from './cli/monitor.js';
import { nameVerbs } from './cli/names.js';
import { findVerb, helpOf, listOf, readInput, UsageError, type Verb } from './cli/verb.js';

/** Every verb, in the order of the help. Exit status 0: done; 1: not done, and why; 2: mistyped. */
const VERBS: readonly Verb[] = [
  ...accountVerbs,
  ...inviteVerbs,
  ...nameVerbs,
  ...doctorVerbs,
  ...monitorVerbs,
  ...certificateVerbs,
  ...maintenanceVerbs,
];

const HELP = new Set(['--help', '-h']);

/** @returns the exit status */
async function run(line: readonly string[]): Promise<number> {
  const words = line.filter((word, index) => !HELP.has(word) && (index > 0 || word !== 'help'));
  const wantsHelp = words.length < line.length;
  if (wantsHelp && words.length === 0) {
    process.stdout.write(listOf(VERBS));
    return 0;
  }
  const { verb, rest } = findVerb(VERBS, words);
  if (wantsHelp) {
    process.stdout.write(helpOf(verb));
    return 0;
  }
  return verb.run(readInput(verb, rest));
}

process.exitCode = await run(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(complaintOf(error));
  return error instanceof UsageError ? 2 : 1;
});
