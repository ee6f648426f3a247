import { describe, expect, it } from '@jest/globals';
import { LastWordsReader } from './last-words.js';

function message(type: string, body: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(4 + Buffer.byteLength(body));
  return Buffer.concat([Buffer.from(type), length, Buffer.from(body)]);
}

const error = (severity: string): Buffer =>
  message('E', `S${severity}\0V${severity}\0C57P01\0Mterminating connection\0\0`);

/** A row that holds what the reader looks for. */
const row = message('D', `\0\u0001\0\0\0\u0020E\0\0\0\u0020SFATAL\0VFATAL\0C57P01\0`);
const before = Buffer.concat([row, error('ERROR'), message('Z', 'I'), row]);
const stream = Buffer.concat([before, error('FATAL')]);

describe('the last words of PostgreSQL', () => {
  it('are found behind rows and errors that end nothing', () => {
    expect(new LastWordsReader().read(stream)).toEqual({ code: '57P01', message: 'terminating connection', before });
  });

  it.each([1, 2, 3, 5, 7, 11, 64])('are found in a stream that arrives in pieces of %i', (size) => {
    const reader = new LastWordsReader();
    const found = [];
    for (let at = 0; at < stream.length; at += size) {
      const said = reader.read(stream.subarray(at, at + size));
      if (said) found.push({ ...said, at: at + size >= stream.length });
    }
    expect(found).toEqual([expect.objectContaining({ code: '57P01', at: true })]);
  });

  it('are not what a row holds, nor another error', () => {
    expect(new LastWordsReader().read(before)).toBeUndefined();
  });
});
