import { parseArgs } from 'node:util';
import { columns } from './print.js';

/** A word that may follow a verb's arguments: `--uses N` when it has a value, `--json` when it has none. */
export interface VerbOption {
  /** What stands for the value in the help; left out, the option has none. */
  value?: string;
  about: string;
}

/** What a verb was called with. */
export interface VerbInput {
  /** As many as the verb names. */
  arguments: readonly string[];
  /** The text of an option, `true` for one without a value, undefined for one that was not given. */
  options: Readonly<Record<string, string | true | undefined>>;
}

/** A verb of the command line. */
export interface Verb {
  /** The words that call it. */
  readonly name: string;
  /** One line for the list of verbs. */
  readonly about: string;
  /** Names of its arguments, each of which is required. */
  readonly arguments?: readonly string[];
  readonly options?: Readonly<Record<string, VerbOption>>;
  /** @returns the exit status. @throws Problem, ConfigError, UsageError: the command line says what was wrong */
  run(input: VerbInput): Promise<number>;
}

/** The operator has mistyped something; the message says what, and `help` what may be typed. */
export class UsageError extends Error {
  constructor(
    message: string,
    readonly help: string = '',
  ) {
    super(message);
    this.name = 'UsageError';
  }
}

const wordsOf = ({ name }: Verb): string[] => name.split(' ');

const startsWith = (words: readonly string[], beginning: readonly string[]): boolean =>
  beginning.every((word, index) => words[index] === word);

/** The verb that a command line calls, and the rest of it. @throws UsageError */
export function findVerb(verbs: readonly Verb[], line: readonly string[]): { verb: Verb; rest: string[] } {
  const verb = verbs.find((each) => startsWith(line, wordsOf(each)));
  if (verb) return { verb, rest: line.slice(wordsOf(verb).length) };
  const group = verbs.filter((each) => wordsOf(each).length > 1 && wordsOf(each)[0] === line[0]);
  if (group.length > 0) throw new UsageError(`${line[0]} needs one of these verbs`, listOf(group));
  throw new UsageError(line[0] ? `${line[0]} is no verb` : '', listOf(verbs));
}

/** Reads what follows a verb. @throws UsageError naming what is missing, unknown or one too many */
export function readInput(verb: Verb, rest: readonly string[]): VerbInput {
  const { values, positionals } = parse(verb, rest);
  const names = verb.arguments ?? [];
  const [missing] = names.slice(positionals.length);
  if (missing) throw new UsageError(`${missing} is missing`, helpOf(verb));
  if (positionals.length > names.length) {
    throw new UsageError(`${positionals[names.length]} is one argument too many`, helpOf(verb));
  }
  return { arguments: positionals, options: values };
}

function parse(verb: Verb, rest: readonly string[]) {
  const options = Object.entries(verb.options ?? {}).map(([name, { value }]) => {
    const type: 'string' | 'boolean' = value ? 'string' : 'boolean';
    return [name, { type }] as const;
  });
  try {
    const { values, positionals } = parseArgs({
      args: [...rest],
      options: Object.fromEntries(options),
      allowPositionals: true,
    });
    return { values: values as VerbInput['options'], positionals };
  } catch (error) {
    // The first sentence names the option; the others explain `--`, which nobody needs here.
    const [reason = ''] = (error as Error).message.split(/\. |\n/);
    throw new UsageError(reason, helpOf(verb));
  }
}

/** The whole number that an option gives. @throws UsageError */
export function numberOption(input: VerbInput, name: string, fallback: number): number {
  const text = input.options[name];
  if (text === undefined) return fallback;
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`--${name} must be a whole number`);
}

/** The text that an option gives. */
export function textOption(input: VerbInput, name: string): string | undefined {
  const text = input.options[name];
  return typeof text === 'string' ? text : undefined;
}

const optionUsage = (name: string, { value }: VerbOption): string => (value ? `--${name} ${value}` : `--${name}`);

function usageOf(verb: Verb): string {
  const options = Object.entries(verb.options ?? {}).map((option) => `[${optionUsage(...option)}]`);
  return [verb.name, ...(verb.arguments ?? []), ...options].join(' ');
}

/** The verbs, each with what it does. */
export const listOf = (verbs: readonly Verb[]): string =>
  `usage: veil.sh VERB, where VERB is one of\n\n${columns(verbs.map((verb) => [`  ${usageOf(verb)}`, verb.about]))}`;

/** How one verb is called. */
export function helpOf(verb: Verb): string {
  const options = Object.entries(verb.options ?? {}).map(([name, option]) => [
    `  ${optionUsage(name, option)}`,
    option.about,
  ]);
  const list = options.length > 0 ? `\n${columns(options)}` : '';
  return `usage: veil.sh ${usageOf(verb)}\n\n${verb.about}\n${list}`;
}
