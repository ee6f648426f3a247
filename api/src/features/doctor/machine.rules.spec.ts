import { describe, expect, it } from '@jest/globals';
import { isOlder, judgeClock, judgeDisk, judgeMigrations, judgeSecretFiles, judgeVersion } from './machine.rules.js';

describe('a clock', () => {
  it.each([
    ['ok', 0],
    ['ok', -29_400],
    ['warning', 31_000],
    ['warning', -200_000],
    ['fault', 300_000],
    ['fault', -86_400_000],
  ])('is %s when it is %d ms ahead', (severity, offset) => {
    expect(judgeClock(offset).severity).toBe(severity);
  });

  it('says which of the two is ahead', () => {
    expect(judgeClock(60_000).detail).toMatch(/^60 s ahead of the clock here/);
    expect(judgeClock(-60_000).detail).toMatch(/^60 s behind the clock here/);
  });
});

describe('a disk', () => {
  const disk = { bytes: 500e9, freeBytes: 100e9, files: 1e6, freeFiles: 9e5 };
  it.each([
    ['ok', {}],
    ['ok', { files: 0, freeFiles: 0 }],
    ['warning', { freeBytes: 1.9e9 }],
    ['fault', { freeBytes: 0.2e9 }],
    ['warning', { freeFiles: 5e4 }],
    ['fault', { freeFiles: 1e4 }],
  ])('is %s with %j', (severity, changes) => {
    expect(judgeDisk({ ...disk, ...changes }).severity).toBe(severity);
  });
});

describe('the migrations', () => {
  it.each([
    ['ok', ['1', '2'], ['1', '2']],
    ['fault', ['1'], ['1', '2']],
    ['fault', undefined, ['1', '2']],
    ['warning', ['1', '2', '3'], ['1', '2']],
  ])('are %s when %j have run', (severity, applied, known) => {
    expect(judgeMigrations(applied, known).severity).toBe(severity);
  });
});

describe('files of secrets', () => {
  const withMode = (mode: number) => judgeSecretFiles([{ file: 'jwt_secret', mode: 0o100_000 | mode }]);

  it.each([0o600, 0o400, 0o440, 0o640])('may have the mode %i', (mode) => expect(withMode(mode).severity).toBe('ok'));
  it.each([0o644, 0o444, 0o660, 0o602, 0o601])('must not have the mode %i', (mode) => {
    expect(withMode(mode)).toMatchObject({ severity: 'fault', detail: expect.stringContaining('jwt_secret') });
  });
  it('may be out of sight', () => expect(judgeSecretFiles([]).severity).toBe('info'));
});

describe('a version', () => {
  it.each([
    [true, '4.6.1', '4.17'],
    [false, '4.17', '4.17'],
    [false, '4.17.0', '4.17'],
    [false, '26.07-1', '26.07'],
    [true, '23.01-1', '26.07'],
    [true, '12.5.1.45', '12.5.1.46'],
    [false, '26.0.1.1', '12.5.1.46'],
    [true, '5', '5.1'],
  ])('is older: %s, %s than %s', (older, version, floor) => expect(isOlder(version, floor)).toBe(older));

  it('with holes is a warning where the Internet reaches it, and else good to know', () => {
    expect(judgeVersion('coturn', '4.6.1', true).severity).toBe('warning');
    expect(judgeVersion('coturn', '4.6.1', false).severity).toBe('info');
    expect(judgeVersion('coturn', '4.18', true)).toMatchObject({ severity: 'ok', detail: '4.18' });
    expect(judgeVersion('coturn', undefined, true).severity).toBe('info');
  });
});
