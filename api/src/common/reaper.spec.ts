import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Reaper } from './reaper.js';

beforeEach(() => {
  jest.useFakeTimers();
  jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

it('runs again and again, one run after the other, whatever a run throws', async () => {
  let open = 0;
  let runs = 0;
  const { promise: firstRun, resolve: endFirstRun } = Promise.withResolvers<void>();
  const reaper = new Reaper('test', async () => {
    runs += 1;
    open += 1;
    expect(open).toBe(1);
    if (runs === 1) await firstRun;
    open -= 1;
    throw new Error('the database is away');
  });
  reaper.onApplicationBootstrap();
  await jest.advanceTimersByTimeAsync(10_000);
  expect(runs).toBe(1);
  endFirstRun();
  await jest.advanceTimersByTimeAsync(4100);
  expect(runs).toBe(3);
  reaper.onModuleDestroy();
  await jest.advanceTimersByTimeAsync(10_000);
  expect(runs).toBe(3);
});

it('ends only when the current run has ended', async () => {
  const { promise: run, resolve: endRun } = Promise.withResolvers<void>();
  let toldToStop: AbortSignal | undefined;
  const reaper = new Reaper('test', (_most, _onFailure, stopping) => {
    toldToStop = stopping;
    return run;
  });
  reaper.onApplicationBootstrap();
  await jest.advanceTimersByTimeAsync(2000);
  let ended = false;
  expect(toldToStop?.aborted).toBe(false);
  reaper.onModuleDestroy();
  expect(toldToStop?.aborted).toBe(true);
  const stopping = reaper.beforeApplicationShutdown().then(() => {
    ended = true;
  });
  await jest.advanceTimersByTimeAsync(5000);
  expect(ended).toBe(false);
  endRun();
  await stopping;
  expect(ended).toBe(true);
});
