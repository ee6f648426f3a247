import { explain, ProbeError } from '../../clients/probes/probe-error.js';
import type { Deadline } from '../../clients/probes/sockets.js';
import { type Finding, fault, type Verdict } from './finding.js';

/** How long one probe may take. */
export const PROBE_MS = 5000;
/** A probe that keeps its deadline says what it waited for: it is given the time to do so. */
const GRACE_MS = 100;

/** What is looked at, and what it means when that fails. */
export interface Subject {
  id: string;
  probed: string;
  /** What people can't do then, in a clause: `chat apps cannot connect`. */
  effect: string;
  remedy: (error: ProbeError) => string;
  timeoutMs?: number;
}

/** Looks at one thing, no longer than it may take. Whatever goes wrong becomes a finding. */
export async function look(
  { id, probed, effect, remedy, timeoutMs = PROBE_MS }: Subject,
  stop: AbortSignal,
  probe: (deadline: Deadline) => Promise<Verdict>,
): Promise<Finding> {
  try {
    return { id, probed, ...(await within(timeoutMs, stop, probe)) };
  } catch (error) {
    const reason = explain(error);
    return { id, probed, ...fault(`${reason.message}: ${effect}`, remedy(reason)) };
  }
}

/**
 * Works until a deadline, and is not kept waiting by work that ignores it. Afterwards the deadline is over in any case,
 * which closes every connection that was opened with it.
 * @param stop ends it before
 * @throws what the work throws, or ProbeError `silent`
 */
export async function within<T>(ms: number, stop: AbortSignal, work: (deadline: Deadline) => Promise<T>): Promise<T> {
  const end = new AbortController();
  const deadline = AbortSignal.any([stop, end.signal]);
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timers = [setTimeout(() => end.abort(), ms)];
  deadline.addEventListener('abort', () => {
    timers.push(setTimeout(() => reject(new ProbeError('silent', 'no answer in time')), GRACE_MS));
  });
  try {
    return await Promise.race([work(deadline), late]);
  } finally {
    end.abort();
    for (const timer of timers) clearTimeout(timer);
  }
}
