/** What a verb tells: text, a number, a time, or nothing. */
export type Cell = string | number | Date | null;

const textOf = (cell: Cell): string => {
  if (cell === null) return '-';
  // Whole seconds, in UTC.
  return cell instanceof Date ? cell.toISOString().replace(/\.\d{3}Z$/, 'Z') : String(cell);
};

/** Left-aligned columns as wide as their longest cell, two spaces apart. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return rows.map((row) => `${line(row)}\n`).join('');
}

/** A thing, a line for each of its fields. */
export const fieldsOf = (thing: Readonly<Record<string, Cell>>): string =>
  columns(Object.entries(thing).map(([name, cell]) => [name, textOf(cell)]));

/** Things of one kind, a line for each, below the names of their fields. */
export function tableOf(names: readonly string[], things: readonly Readonly<Record<string, Cell>>[]): string {
  return columns([names, ...things.map((thing) => names.map((name) => textOf(thing[name] ?? null)))]);
}

export const jsonOf = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
