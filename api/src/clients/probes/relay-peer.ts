import { randomBytes } from 'node:crypto';
import { Inbox } from './inbox.js';
import { type Deadline, type Endpoint, UdpPort } from './sockets.js';
import { Attribute, attributeOf, Class, decode, encode, endpointIn, Method, type StunMessage } from './stun-message.js';
import type { TurnSession } from './turn-session.js';

const PAUSE_MS = 500;

/** A peer beyond a relay, on this machine: sends back whatever it is sent. */
export class RelayPeer {
  private constructor(
    private readonly port: UdpPort,
    /** Where the relay finds it. */
    readonly endpoint: Endpoint,
  ) {
    port.onMessage((data, from) => port.send(data, from));
    port.onError(() => {});
  }

  /** At an address of this machine. @throws ProbeError when it is not one */
  static async at(address: string, deadline: Deadline): Promise<RelayPeer> {
    const port = await UdpPort.bind(address, deadline);
    return new RelayPeer(port, { host: address, port: port.local.port });
  }

  /** Where a STUN server sees this machine, behind whatever translates its address. @throws ProbeError */
  static async seenBy(server: Endpoint, deadline: Deadline): Promise<RelayPeer> {
    const port = await UdpPort.bind(undefined, deadline);
    return new RelayPeer(port, await mappedAddress(port, server, deadline));
  }

  /**
   * Sends through the relay and back, again and again until something has arrived: datagrams get lost. A first packet
   * from here opens the way through whatever translates our address.
   * @throws ProbeError
   */
  async exchange(session: TurnSession, relay: Endpoint): Promise<void> {
    const data = randomBytes(16);
    const timer = setInterval(() => session.send(this.endpoint, data), PAUSE_MS);
    try {
      this.port.send('open', relay);
      session.send(this.endpoint, data);
      await session.received(data);
    } finally {
      clearInterval(timer);
    }
  }
}

async function mappedAddress(port: UdpPort, server: Endpoint, deadline: Deadline): Promise<Endpoint> {
  const inbox = new Inbox<StunMessage>(deadline);
  const transaction = randomBytes(12);
  const request = encode({ method: Method.binding, class: Class.request, transaction, attributes: [] });
  port.onMessage((bytes) => {
    if (bytes.subarray(8, 20).equals(transaction)) inbox.put(decode(bytes));
  });
  const timer = setInterval(() => port.send(request, server), PAUSE_MS);
  try {
    port.send(request, server);
    const hasAddress = (message: StunMessage): boolean => endpointIn(mappedIn(message)) !== undefined;
    const answer = await inbox.take('our address, as the STUN server sees it,', hasAddress);
    return endpointIn(mappedIn(answer)) as Endpoint;
  } finally {
    clearInterval(timer);
  }
}

const mappedIn = (message: StunMessage) => attributeOf(message, Attribute.xorMappedAddress);
