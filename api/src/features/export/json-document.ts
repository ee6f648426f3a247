/** A value of a document, or rows that are still to be read. */
export type Part = unknown | AsyncIterable<unknown>;

const isRows = (part: Part): part is AsyncIterable<unknown> =>
  typeof part === 'object' && part !== null && Symbol.asyncIterator in part;

/** The text of a JSON object, a piece at a time: no more of its rows is in memory than the one that is being written. */
export async function* jsonDocument(parts: Readonly<Record<string, Part>>): AsyncGenerator<string> {
  let separator = '{';
  for (const [name, part] of Object.entries(parts)) {
    yield `${separator}${JSON.stringify(name)}:`;
    separator = ',';
    if (isRows(part)) yield* jsonArray(part);
    else yield JSON.stringify(part);
  }
  yield '}';
}

async function* jsonArray(rows: AsyncIterable<unknown>): AsyncGenerator<string> {
  let separator = '[';
  for await (const row of rows) {
    yield `${separator}${JSON.stringify(row)}`;
    separator = ',';
  }
  yield separator === '[' ? '[]' : ']';
}

/** Reads rows a page at a time, each when the one before has been taken; without their keys. */
export async function* rowsOf<T extends { key: string }>(
  page: (after: string, most: number) => Promise<T[]>,
  pageSize: number,
): AsyncGenerator<Omit<T, 'key'>> {
  for (let after = ''; ; ) {
    const rows = await page(after, pageSize);
    for (const { key, ...row } of rows) {
      after = key;
      yield row;
    }
    if (rows.length < pageSize) return;
  }
}
