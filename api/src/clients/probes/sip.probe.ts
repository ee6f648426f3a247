import type { Certificate } from './certificate.js';
import { ProbeError } from './probe-error.js';
import { askOptions } from './sip-agent.js';
import { SipConnection, type SipTarget } from './sip-connection.js';
import type { Deadline, Trust } from './sockets.js';

/** Asks a SIP server by OPTIONS whether it serves the domain. @throws ProbeError */
export async function probeSip(
  target: SipTarget,
  domain: string,
  trust: Trust,
  deadline: Deadline,
): Promise<{ certificate: Certificate | undefined }> {
  const connection = await SipConnection.open(target, trust, deadline);
  try {
    const { status, reason } = await askOptions(connection, domain);
    if (status !== 200) throw new ProbeError('rejected', `it answers ${status} ${reason}`);
    return { certificate: connection.certificate };
  } finally {
    connection.close();
  }
}
