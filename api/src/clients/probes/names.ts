import { promises as dns } from 'node:dns';
import { isIP } from 'node:net';
import { explain, ProbeError } from './probe-error.js';
import type { Deadline, Endpoint } from './sockets.js';

const TIMEOUT_MS = 2000;

/** The addresses of a host, as programs on this machine find them: by the name server, or the file of hosts. @throws ProbeError */
export async function addressesOf(host: string, deadline: Deadline): Promise<string[]> {
  if (isIP(host)) return [host];
  const found = dns.lookup(host, { all: true }).catch((error: unknown) => {
    throw explain(error);
  });
  const addresses = (await Promise.race([found, never(deadline)])).map(({ address }) => address);
  return [...new Set(addresses)];
}

/** The SRV records of a name (RFC 2782), the one that clients try first in front. None is an empty list. @throws ProbeError */
export async function serviceRecords(name: string): Promise<Endpoint[]> {
  try {
    const records = await new dns.Resolver({ timeout: TIMEOUT_MS, tries: 1 }).resolveSrv(name);
    const inOrder = records.sort((one, other) => one.priority - other.priority || other.weight - one.weight);
    return inOrder.map(({ name: host, port }) => ({ host, port }));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
    throw new ProbeError('silent', 'the name server does not answer');
  }
}

/** Node can't cut a lookup: whoever asked stops waiting for it. */
function never(deadline: Deadline): Promise<never> {
  return new Promise((_, reject) => {
    const late = () => reject(new ProbeError('unresolved', 'the name server does not answer in time'));
    if (deadline.aborted) late();
    else deadline.addEventListener('abort', late, { once: true });
  });
}
