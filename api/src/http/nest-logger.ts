import type { LoggerService } from '@nestjs/common';
import type { FastifyBaseLogger } from 'fastify';

/**
 * Fields whose value never reaches the log, at any depth and whoever passes them: secrets and what people write. No line
 * of ours has any of them; this is for the line that somebody writes in haste.
 */
const REDACTED_FIELD = /password|passphrase|secret|token|authorization|cookie|invite_code|^(body|payload|headers)$/i;

/** In texts, as in the message of an error: signed tokens, and what follows the scheme of an Authorization header. */
const REDACTED_TEXT = /\beyJ[\w-]+\.[\w-]+\.[\w-]*|(?<=\b(?:Bearer|Basic|Digest) )\S.*/g;

const REDACTED = '[redacted]';

/** Deeper than anything that is logged. */
const MOST_LEVELS = 5;

/** A copy for the log, without secrets. */
export function redacted(value: unknown, level = 0): unknown {
  if (typeof value === 'string') return value.replace(REDACTED_TEXT, REDACTED);
  if (typeof value !== 'object' || value === null) return value;
  if (level === MOST_LEVELS) return REDACTED;
  if (Array.isArray(value)) return value.map((item) => redacted(item, level + 1));
  // A secret knows how to be printed.
  if ('toJSON' in value && typeof value.toJSON === 'function') return value.toJSON();
  const entries = Object.entries(value).map(([name, each]) => {
    return [name, REDACTED_FIELD.test(name) ? REDACTED : redacted(each, level + 1)] as const;
  });
  return Object.fromEntries(entries);
}

/** Nest's log lines, written by Fastify's logger: one stream of JSON for the whole process. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: FastifyBaseLogger) {}

  log(message: unknown, context?: string): void {
    this.write('info', message, context);
  }

  warn(message: unknown, context?: string): void {
    this.write('warn', message, context);
  }

  error(message: unknown, ...details: string[]): void {
    this.write('error', message, details.at(-1));
  }

  debug(message: unknown, context?: string): void {
    this.write('debug', message, context);
  }

  fatal(message: unknown, context?: string): void {
    this.write('fatal', message, context);
  }

  private write(level: 'debug' | 'info' | 'warn' | 'error' | 'fatal', message: unknown, context?: string): void {
    const shown = redacted(message);
    const fields = typeof shown === 'object' && shown !== null ? shown : {};
    this.logger[level]({ context, ...fields }, typeof shown === 'string' ? shown : undefined);
  }
}
