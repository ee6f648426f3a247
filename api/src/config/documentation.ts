import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SECTIONS } from './config.js';
import type { Section, Setting } from './setting.js';

const HEADER = `# Every setting of Veil with its default. Copy to .env and change what you need; an empty value means
# "derived", as its comment says. Generated from api/src/config by \`node api/dist/bundle/cli.js settings --write\`.
# Each secret NAME is also accepted as NAME_FILE, the path of a file that holds it. scripts/up.sh generates
# the secrets into var/secrets/ and passes files only; set one here only to bring your own.
`;

const list = (section: Section): Setting<unknown>[] => Object.values(section.settings);

const ruler = (title: string): string => `# --- ${title} ${'-'.repeat(Math.max(3, 96 - title.length))}`;

const line = ({ name, fallback, doc, secret }: Setting<unknown>): string =>
  `# ${doc}\n${secret ? '# ' : ''}${name}=${fallback}`;

/** The text of .env.example: secrets are commented out, since an example secret would be a secret that everybody knows. */
export function envExample(): string {
  const sections = SECTIONS.map((section) => [ruler(section.title), ...list(section).map(line)].join('\n'));
  return `${HEADER}\n${sections.join('\n\n')}\n`;
}

/** The settings table of the README, between its two markers. */
export function settingsTable(): string {
  const row = ({ name, fallback, doc, secret }: Setting<unknown>): string =>
    `| \`${name}\` | ${secret ? '*(secret)*' : fallback === '' ? '' : `\`${fallback}\``} | ${doc} |`;
  const table = (section: Section): string =>
    `**${section.title}**\n\n| setting | default | what |\n|---|---|---|\n${list(section).map(row).join('\n')}`;
  return SECTIONS.map(table).join('\n\n');
}

/** Seen from api/dist/config, and from api/dist/bundle. */
const checkout = (file: string): string => fileURLToPath(new URL(`../../../${file}`, import.meta.url));

const TABLE = /(?<=<!-- settings -->\n)[\s\S]*?(?=\n<!-- \/settings -->)/;

function withTable(readme: string): string {
  if (!TABLE.test(readme)) throw new Error('README.md has lost the markers of its settings table');
  return readme.replace(TABLE, settingsTable);
}

/** The generated files, each with its text as it should be. */
const documents: Record<string, (present: string) => string> = {
  '.env.example': () => envExample(),
  'README.md': withTable,
};

/** Compares the generated files with the settings in code, or writes them. @returns the files that differ */
export function compareDocumentation(write: boolean): string[] {
  return Object.entries(documents)
    .filter(([file, wanted]) => {
      const present = readFileSync(checkout(file), 'utf8');
      const text = wanted(present);
      if (text !== present && write) writeFileSync(checkout(file), text);
      return text !== present && !write;
    })
    .map(([file]) => file);
}
