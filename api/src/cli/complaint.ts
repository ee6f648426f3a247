import { inspect } from 'node:util';
import { Problem } from '../common/problem.js';
import { ConfigError } from '../config/config.js';
import { isDatabaseUnavailable } from '../database/database-errors.js';
import { UsageError } from './verb.js';

/** What the operator reads when a verb has failed: a sentence for what can be expected, else all there is to know. */
export function complaintOf(error: unknown): string {
  if (error instanceof UsageError)
    return [error.message, error.help].filter(Boolean).join('\n\n').trimEnd().concat('\n');
  if (error instanceof ConfigError) return `${error.message}\n`;
  if (error instanceof Problem) return `${error.detail} (${error.code})\n`;
  if (isDatabaseUnavailable(error)) return 'The database does not answer: is the platform up?\n';
  return `${inspect(error)}\n`;
}
