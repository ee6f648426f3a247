import type { Certificate } from './certificate.js';
import { ProbeError } from './probe-error.js';
import type { Deadline, Trust } from './sockets.js';
import { TurnRefusal, TurnSession, type TurnTarget } from './turn-session.js';

const UNAUTHENTICATED = 401;

/**
 * Asks a STUN and TURN server for our own address, and for a relay without credentials, which it must refuse.
 * @throws ProbeError
 */
export async function probeTurn(
  target: TurnTarget,
  trust: Trust,
  deadline: Deadline,
): Promise<{ certificate: Certificate | undefined }> {
  const session = await TurnSession.open(target, trust, deadline);
  try {
    await session.bind();
    await requireRefusal(session);
    return { certificate: session.certificate };
  } finally {
    session.close();
  }
}

async function requireRefusal(session: TurnSession): Promise<void> {
  try {
    await session.allocate();
  } catch (error) {
    if (error instanceof TurnRefusal && error.code === UNAUTHENTICATED) return;
    throw error;
  }
  throw new ProbeError('unexpected', 'it relays for anybody, without credentials');
}
