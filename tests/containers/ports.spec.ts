/**
 * What is open to the outside: exactly the documented ports. Every port of these containers, published or not, is in the
 * range that was reserved for them.
 */
import { execFileSync } from 'node:child_process';
import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { project } from '../support/containers.js';
import { platform } from '../support/platform.js';

const { ports } = platform;
const PORTS = 400;
const first = ports.api;
const range = Array.from({ length: PORTS }, (_, index) => first + index);
const httpPort = Number(process.env.HTTP_PORT);

/** docs/operations.md */
const TCP = [ports.xmpp, ports.xmppTls, ports.sip, ports.sipTls, ports.turn, ports.turnTls, ports.xmppHttps, httpPort];
const UDP = [ports.sip, ports.turn];

const isOpen = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2000 });
    const end = (open: boolean) => () => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });

async function openOn(host: string): Promise<number[]> {
  const open = await Promise.all(range.map(async (port) => ((await isOpen(host, port)) ? [port] : [])));
  return open.flat().sort();
}

/** Sockets of the machine itself that take datagrams: published ports and those of the servers on its network. What runs us is there. */
const datagramPorts = (): string[] =>
  execFileSync('nsenter', [`--net=/proc/${process.ppid}/ns/net`, 'ss', '-Hlun'], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/)[3] ?? '')
    .filter((address) => range.includes(Number(address.slice(address.lastIndexOf(':') + 1))));

describe('a scan from outside', () => {
  it('finds exactly the documented TCP ports', async () => {
    expect(await openOn(platform.host)).toEqual([...TCP].sort());
  });

  it('finds what compose publishes, and coturn on the machine itself', async () => {
    const { services } = await project();
    const published = Object.values(services).flatMap((service) => service.ports ?? []);
    const ofTheMachine = [ports.turn, ports.turnTls];
    expect(published.filter(({ protocol }) => protocol === 'tcp').map((port) => Number(port.published))).toEqual(
      expect.arrayContaining(TCP.filter((port) => !ofTheMachine.includes(port))),
    );
    expect(published.filter(({ protocol }) => protocol === 'udp').map((port) => Number(port.published))).toEqual([
      ports.sip,
    ]);
  });
});

describe('the machine', () => {
  it('takes datagrams at the documented ports, and orders for the media relay on the internal network alone', () => {
    const open = new Set(datagramPorts());
    const orders = `${process.env.NETWORK_PREFIX}.1:${ports.rtpengineNg}`;
    expect([...open].sort()).toEqual([orders, ...UDP.map((port) => `${platform.host}:${port}`)].sort());
  });
});
