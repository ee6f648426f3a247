import { until } from '../support/wait.js';
import type { Audit } from './audit.js';
import type { Fault } from './faults.js';
import { type Entry, type Protocol, p99 } from './journal.js';
import type { Load } from './load.js';
import { Watch } from './watch.js';

/** Everything is asked for within it, several times. */
const WINDOW_MS = 4000;
const RECOVERED_WITHIN_MS = 120_000;
/** Answers may take so many times as long as before the fault, */
const SLOWER = 3;
/** and are quick enough below this, on a machine that others share. */
const QUICK_MS = 2000;
/** Takes its time always: it waits for the chat server to have stored what came last. */
const UNHURRIED = 'delete an account';

/** What a fault did. */
export interface Result {
  fault: string;
  requests: number;
  failed: Record<Protocol, number>;
  lost: number;
  /** Seconds from the end of the fault until everything worked as before; undefined when it never did. */
  recoveredAfter: number | undefined;
  noticedAfterMs: number | undefined;
  p99: { before: number; after: number };
  violations: string[];
}

/** The servers without which REST works as before: only a deletion has something left to do. */
const NOT_FOR_REST: readonly string[] = ['kamailio', 'coturn', 'rtpengine'];

/** Lets a fault happen to a platform at work, waits until it is well again, and takes stock. */
export async function tryFault(fault: Fault, load: Load, audit: Audit): Promise<Result> {
  load.start();
  load.rest.patient = fault.announced === true;
  const before = await until('there is work to compare with', () => steadyWork(load, performance.now() - WINDOW_MS), {
    timeoutMs: RECOVERED_WITHIN_MS,
  });
  const limit = Math.max(SLOWER * before, QUICK_MS);
  const watch = Watch.begin(fault.server);
  await until('readiness is asked', () => watch.well);
  const failedAt = performance.now();
  await fault.inflict();
  const endedAt = performance.now();
  const recovered = await recovery(load, watch, endedAt, limit);
  const amiss = recovered ? [] : [whatIsAmiss(load, watch, endedAt, limit)];
  const { lies, noticedAfterMs } = await watch.end(failedAt);
  await load.pause();
  const entries = load.journal.since(failedAt);
  const findings = await audit.look(load.letters);
  const complaints = [...load.journal.takeComplaints(), ...findings.wrong, ...findings.lost, ...lies, ...amiss];
  return {
    fault: fault.what,
    requests: entries.length,
    failed: failuresBy(entries),
    lost: findings.lost.length,
    recoveredAfter: recovered && (recovered.at - endedAt) / 1000,
    noticedAfterMs,
    p99: { before, after: recovered?.p99 ?? Number.NaN },
    violations: [...complaints, ...inexcusable(fault, entries)],
  };
}

/** The first moment from which on everything works as before, once that has been so for a while. */
async function recovery(load: Load, watch: Watch, endedAt: number, limit: number) {
  const deadline = endedAt + RECOVERED_WITHIN_MS + WINDOW_MS;
  const check = () => {
    const from = Math.max(endedAt, lastFailure(load, endedAt));
    const latest = performance.now() - WINDOW_MS;
    for (let at = from; at <= latest; at += WINDOW_MS / 8) {
      const quick = steadyWork(load, at);
      if (quick && quick <= limit && watch.well) return { at, p99: quick };
    }
    return undefined;
  };
  return until('everything works as before', check, { timeoutMs: deadline - performance.now() }).catch(() => undefined);
}

/** What was the matter last, and what is now. */
function whatIsAmiss(load: Load, watch: Watch, endedAt: number, limit: number): string {
  const done = new Set(load.journal.since(performance.now() - 2 * WINDOW_MS).map(({ kind }) => kind));
  const idle = load.expectedKinds.filter((kind) => !done.has(kind)).map((kind) => `nobody does: ${kind}`);
  const unwell = watch.well ? [] : ['the server is down, or said to be'];
  const bad = load.journal
    .since(endedAt)
    .filter(({ failure, startedAt, endedAt: at }) => failure || at - startedAt > limit);
  const say = ({ kind, detail, startedAt, endedAt: at }: Entry): string =>
    `${kind} at ${((at - endedAt) / 1000).toFixed(1)} s, ${detail ?? `after ${Math.round(at - startedAt)} ms`}`;
  return `not as before after ${RECOVERED_WITHIN_MS / 1000} s: ${[...unwell, ...idle, ...bad.slice(-10).map(say)].join('; ')}`;
}

/** The p99 of REST in a window from a moment on, if everything was asked for in it and nothing failed. */
function steadyWork(load: Load, from: number): number | undefined {
  const entries = load.journal.since(from).filter(({ startedAt }) => startedAt < from + WINDOW_MS);
  const done = new Set(entries.map(({ kind }) => kind));
  if (entries.some(({ failure }) => failure) || !load.expectedKinds.every((kind) => done.has(kind))) return undefined;
  return p99(entries.filter(({ protocol, kind }) => protocol === 'rest' && kind !== UNHURRIED));
}

const lastFailure = (load: Load, since: number): number =>
  load.journal.since(since).findLast(({ failure }) => failure)?.endedAt ?? since;

function failuresBy(entries: readonly Entry[]): Record<Protocol, number> {
  const count = (wanted: Protocol) => entries.filter(({ protocol, failure }) => failure && protocol === wanted).length;
  return { rest: count('rest'), xmpp: count('xmpp'), sip: count('sip') };
}

/** Failures that this fault does not explain. */
function inexcusable({ server, announced }: Fault, entries: readonly Entry[]): string[] {
  const excused = ({ protocol, failure }: Entry): boolean => {
    if (failure === undefined) return true;
    if (failure === 'unclear') return false;
    if (protocol !== 'rest') return !announced;
    if (announced || NOT_FOR_REST.includes(server)) return false;
    return failure === 'told' || server === 'api';
  };
  const counts = new Map<string, number>();
  for (const { kind, detail } of entries.filter((entry) => !excused(entry))) {
    const what = `${kind}: ${detail}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].map(([what, times]) => `${times} times ${what}`);
}
