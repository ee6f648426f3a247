import { describe, expect, it } from '@jest/globals';
import { ProbeError } from '../../clients/probes/probe-error.js';
import { ok } from './finding.js';
import { look, within } from './look.js';

const never = new AbortController().signal;
const subject = {
  ...{ id: 'sip.tls', probed: 'SIP over TLS', effect: 'nobody can call' },
  remedy: ({ trouble }: ProbeError) => `mend what is ${trouble}`,
  timeoutMs: 20,
};

describe('looking at something', () => {
  it('finds what the probe finds', async () => {
    const found = await look(subject, never, async () => ok('answers'));
    expect(found).toEqual({ id: 'sip.tls', probed: 'SIP over TLS', severity: 'ok', detail: 'answers' });
  });

  it('makes a fault of a failure: what was wrong, what it means, what to do', async () => {
    const found = await look(subject, never, () => Promise.reject(new ProbeError('refused', 'nothing listens')));
    expect(found).toMatchObject({
      severity: 'fault',
      detail: 'nothing listens: nobody can call',
      remedy: 'mend what is refused',
    });
  });

  it('does not wait for a probe that never ends', async () => {
    const found = await look(subject, never, () => new Promise(() => {}));
    expect(found).toMatchObject({ severity: 'fault', detail: 'no answer in time: nobody can call' });
  });

  it('lets a probe that keeps its deadline say what it waited for', async () => {
    const found = await look(subject, never, (deadline) => {
      const { promise, reject } = Promise.withResolvers<never>();
      deadline.addEventListener('abort', () => reject(new ProbeError('silent', 'no greeting')));
      return promise;
    });
    expect(found.detail).toBe('no greeting: nobody can call');
  });
});

it('leaves no connection: the deadline is over when the work is', async () => {
  const seen: AbortSignal[] = [];
  await within(10_000, never, async (deadline) => seen.push(deadline));
  expect(seen[0]?.aborted).toBe(true);
});

it('ends when everything is to be stopped', async () => {
  const stop = new AbortController();
  const working = within(10_000, stop.signal, () => new Promise(() => {}));
  stop.abort();
  await expect(working).rejects.toMatchObject({ trouble: 'silent' });
});
