import { ProbeError } from './probe-error.js';
import { type Deadline, type Endpoint, openTcp, UdpPort } from './sockets.js';

/** Whether anything accepts TCP connections there. No answer at all is no: so does a firewall keep a port closed. */
export async function isTcpOpen(endpoint: Endpoint, deadline: Deadline): Promise<boolean> {
  try {
    (await openTcp(endpoint, deadline)).destroy();
    return true;
  } catch (error) {
    if (error instanceof ProbeError) return false;
    throw error;
  }
}

/** Whether the control port of rtpengine, which asks for no password, answers there. */
export async function isMediaControlOpen(endpoint: Endpoint, deadline: Deadline): Promise<boolean> {
  const port = await UdpPort.connect(endpoint, deadline);
  const answer = new Promise<boolean>((resolve) => {
    port.onMessage(() => resolve(true));
    port.onError(() => resolve(false));
    deadline.addEventListener('abort', () => resolve(false), { once: true });
  });
  port.send('veil d7:command4:pinge');
  return answer.finally(() => port.close());
}
