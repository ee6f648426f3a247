import { expect, it } from '@jest/globals';
import { fieldsOf, jsonOf, tableOf } from './print.js';

const day = new Date('2026-11-21T09:00:00.123Z');

it('things stand in columns below the names of their fields', () => {
  const things = [
    { name: 'alice', uses: 10, seen: day },
    { name: 'bo', uses: 1, seen: null },
  ];
  expect(tableOf(['name', 'uses', 'seen'], things)).toBe(
    'name   uses  seen\nalice  10    2026-11-21T09:00:00Z\nbo     1     -\n',
  );
  expect(tableOf(['name', 'uses'], [])).toBe('name  uses\n');
});

it('a thing stands in lines', () => {
  expect(fieldsOf({ code: 'X', expires: day, note: null })).toBe(
    'code     X\nexpires  2026-11-21T09:00:00Z\nnote     -\n',
  );
});

it('JSON has times in full', () => {
  expect(JSON.parse(jsonOf([{ seen: day }]))).toEqual([{ seen: '2026-11-21T09:00:00.123Z' }]);
});
