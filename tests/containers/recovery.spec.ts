/**
 * A server whose process is killed is back by itself, with all that it had.
 */
import { createSocket, type Socket } from 'node:dgram';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, apiClient, registerAccount } from '../support/api.js';
import { answers, containers, serverOf } from '../support/containers.js';
import { https } from '../support/https.js';
import { platform } from '../support/platform.js';
import { endCall, registeredClient } from '../support/sip-call.js';
import { audioDescription, SipClient } from '../support/sip-client.js';
import { until } from '../support/wait.js';
import { closeXmppClients, XmppClient } from '../support/xmpp.js';

/** One end of a call's sound. */
class RtpSocket {
  private heard = 0;
  private said = 0;

  private constructor(private readonly socket: Socket) {
    socket.on('message', () => {
      this.heard += 1;
    });
  }

  static async open(): Promise<RtpSocket> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, platform.clientAddress, resolve));
    return new RtpSocket(socket);
  }

  get port(): number {
    return this.socket.address().port;
  }

  /** Has the other end say something through the relay; whether anything has come since it was asked last. */
  hears(other: RtpSocket, relayPort: number): boolean {
    const heard = this.heard > 0;
    this.heard = 0;
    other.say(relayPort);
    return heard;
  }

  close(): void {
    this.socket.close();
  }

  /** 20 ms of G.711 (RFC 3550). */
  private say(relayPort: number): void {
    const packet = Buffer.alloc(172, 0xff);
    packet.writeUInt16BE(0x8000, 0);
    packet.writeUInt16BE(this.said, 2);
    packet.writeUInt32BE(this.said * 160, 4);
    packet.writeUInt32BE(4711, 8);
    this.said += 1;
    this.socket.send(packet, relayPort, platform.mediaAddress);
  }
}

const APART_MS = 100;
const SERVERS = ['db', 'ejabberd', 'kamailio', 'rtpengine', 'coturn', 'api', 'proxy'];
const LOGIN = { mechanism: 'SCRAM-SHA-256-PLUS', tlsVersion: '1.2' } as const;

let alice: Account;
let bob: Account;

/**
 * Kills every server of these services; each is gone when this returns. Not all in one moment: the engine of Debian 12
 * can lock itself up for good when several containers end in the same one (moby/moby#42545).
 */
async function killAll(...services: string[]): Promise<void> {
  for (const pid of await Promise.all((await containers(...services)).map(serverOf))) {
    process.kill(pid, 'SIGKILL');
    await delay(APART_MS);
  }
}

beforeAll(async () => {
  [alice, bob] = await Promise.all([registerAccount('alice'), registerAccount('bob')]);
});

afterAll(closeXmppClients);

describe('kill -9', () => {
  it.each([
    ['db', 'postgres'],
    ['ejabberd', 'ejabberd'],
    ['kamailio', 'kamailio'],
    ['rtpengine', 'rtpengine'],
    ['coturn', 'coturn'],
    ['api', 'api'],
    ['proxy', 'proxy'],
  ])('of the process of %s: it is back, in another container process, and answers', async (service, name) => {
    const [before] = await containers(service);
    process.kill(await serverOf(before!), 'SIGKILL');
    await until(`${service} is back`, async () => {
      const [now] = await containers(service);
      return now!.State.StartedAt !== before!.State.StartedAt && (await answers(now!, name));
    });
  });

  it('of every API process: a request waits for the first that is back', async () => {
    await killAll('api');
    const { status } = await https.get(`${platform.apiUrl}/api/v1/server/info`);
    expect(status).toBe(200);
  });

  it('of rtpengine ends no call: the sound goes on', async () => {
    const [caller, callee] = await Promise.all([registeredClient('caller'), registeredClient('callee')]);
    const [mouth, ear] = await Promise.all([RtpSocket.open(), RtpSocket.open()]);
    const calling = caller.request('INVITE', callee.address, { body: audioDescription(mouth.port) });
    const refused = calling.then(({ final }) => Promise.reject(new Error(`the call is answered ${final.status}`)));
    const invite = await Promise.race([callee.incoming('INVITE'), refused]);
    callee.reply(invite, 200, { body: audioDescription(ear.port) });
    const call = await calling;
    caller.withinCall(call, 'ACK');
    await callee.incoming('ACK');
    const relay = Number(/^m=audio (\d+)/m.exec(call.final.body)?.[1]);
    await until('the callee hears the caller', () => ear.hears(mouth, relay));

    const [before] = await containers('rtpengine');
    process.kill(await serverOf(before!), 'SIGKILL');
    await until('rtpengine is back', async () => {
      const [now] = await containers('rtpengine');
      return now!.State.StartedAt !== before!.State.StartedAt && (await answers(now!, 'rtpengine'));
    });
    await until('the callee hears the caller again', () => ear.hears(mouth, relay));
    await endCall({ ...call, seenByCallee: invite }, caller, callee);
    for (const end of [caller, callee, mouth, ear]) end.close();
  });

  it('of all of them at once, as when the machine is switched off, has lost nothing: accounts log in, chat, and register phones', async () => {
    await killAll(...SERVERS);
    await until(
      'the platform is ready',
      async () => (await https.get(`${platform.apiUrl}/health/ready`)).data.status === 'ready',
    );
    const { status } = await apiClient().post('/account/login', { username: alice.username, password: alice.password });
    expect(status).toBe(200);
    const [a, b] = await Promise.all([XmppClient.connect(alice, LOGIN), XmppClient.connect(bob, LOGIN)]);
    await a.send(bob.jid, 'Still there?');
    await b.receivedBody('Still there?');
    const phone = await SipClient.open(alice);
    expect((await phone.register()).status).toBe(200);
    phone.close();
  });
});
