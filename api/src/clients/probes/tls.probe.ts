import { type Certificate, certificateOf } from './certificate.js';
import { type Deadline, type Endpoint, openTls, type Trust } from './sockets.js';

/** What certificate a server shows to clients that ask for `name`. @throws ProbeError */
export async function probeTls(
  endpoint: Endpoint,
  name: string,
  trust: Trust,
  deadline: Deadline,
): Promise<{ certificate: Certificate }> {
  const socket = await openTls(endpoint, name, trust, deadline);
  const certificate = certificateOf(socket, name);
  socket.destroy();
  return { certificate };
}
