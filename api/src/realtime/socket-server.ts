import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { type WebSocket, WebSocketServer } from 'ws';
import { Problem } from '../common/problem.js';
import { bearerToken } from '../http/access.js';
import { Drain } from '../http/drain.js';
import { rawAnswer } from '../http/raw-answer.js';
import { newRequestId } from '../http/request-id.js';
import { Admission } from './admission.js';
import { type Admitted, CLOSE, type Line } from './device-socket.js';
import { Lobby, type Message } from './lobby.js';
import { type Asked, Paths } from './paths.js';
import type { Challenge, SocketProtocol, Way } from './protocol.js';
import { Reception } from './reception.js';
import { SocketGuests } from './socket-guests.js';

const OPTIONS = {
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  // How long a client may take to answer a close frame, in milliseconds.
  closeTimeout: 2000,
  maxFragments: 1024,
  maxBufferedChunks: 4096,
  // Pongs on their way. Who sends pings and does not take the answers is cut off.
  maxPendingAutoPongs: 60,
} as const;

/** An upgrade that is under way. */
interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly asked: Asked;
}

/** Takes the upgrades of the public listener, and lets in who may come: `protocol.ts` says how. */
@Injectable()
export class SocketServer implements OnApplicationBootstrap {
  private readonly paths = new Paths();
  private readonly servers = new Map<SocketProtocol, WebSocketServer>();
  /** Where those are who have still to say who they are. */
  private readonly lobbies = new Set<Lobby>();

  constructor(
    private readonly host: HttpAdapterHost<FastifyAdapter>,
    private readonly reception: Reception,
    private readonly admission: Admission,
    private readonly guests: SocketGuests,
    private readonly drain: Drain,
  ) {}

  /** Answers at the protocol's paths from now on. */
  serve(protocol: SocketProtocol): void {
    this.paths.add(protocol);
    const server = new WebSocketServer({ ...OPTIONS, maxPayload: protocol.maxFrameBytes });
    server.on('wsClientError', (_error, socket) => {
      const problem = new Problem('malformed_request', 'this is no handshake of RFC 6455');
      this.refuse(socket, this.reception.refused(protocol, problem));
    });
    this.servers.set(protocol, server);
  }

  onApplicationBootstrap(): void {
    // A verb of the command line has no listener.
    const server = this.host.httpAdapter?.getHttpServer() as Server | undefined;
    server?.on('upgrade', (request, socket, head) => void this.upgrade(request, socket, head));
    this.drain.onDeaf(() => {
      for (const lobby of this.lobbies) lobby.close();
      this.guests.endAll(CLOSE.restart, RESTART);
    });
  }

  private async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    // A client that goes away meanwhile is no fault.
    socket.on('error', ignore);
    const asked = this.paths.match(request.url ?? '');
    try {
      if (!asked) throw new Problem('not_found', 'no such WebSocket');
      this.reception.receive(request);
    } catch (error) {
      return this.refuse(socket, this.reception.refused(asked?.protocol, error));
    }
    const header = bearerToken(request.headers.authorization);
    const token = header ?? asked.token;
    const upgrade = { request, socket, head, asked };
    if (token === undefined) this.accept(upgrade, (line) => this.letInLater(line, asked));
    else await this.letIn(upgrade, token, header === undefined ? 'query' : 'header');
  }

  private async letIn(upgrade: Upgrade, token: string, way: Way): Promise<void> {
    const { asked, socket } = upgrade;
    try {
      const admitted = await this.admission.admit(asked, token, way);
      this.accept(upgrade, (line) => this.welcome(line, asked, admitted));
    } catch (error) {
      if (asked.protocol.refusesByClosing(way)) this.accept(upgrade, () => Promise.reject(error));
      else this.refuse(socket, this.reception.refused(asked.protocol, error));
    }
  }

  private accept({ request, socket, head, asked }: Upgrade, welcome: (line: Line) => Promise<void>): void {
    socket.off('error', ignore);
    this.servers.get(asked.protocol)?.handleUpgrade(request, socket, head, (client) => {
      // What a client does wrong closes its connection with the right code (RFC 6455, 7.4.1) already.
      client.on('error', ignore);
      welcome({ client, stream: socket }).catch((error: unknown) => {
        turnAway(client, asked.protocol, this.reception.refused(asked.protocol, error));
      });
    });
  }

  /** Somebody who has still to say who he is. */
  private letInLater(line: Line, asked: Asked): Promise<void> {
    return this.inLobby(line, asked, async (lobby) => {
      const admitted = await this.admission.admitByFrame(asked, await lobby.next());
      const challenge = asked.protocol.challenge(admitted.device);
      if (challenge) await prove(line, challenge, lobby);
      return admitted;
    });
  }

  /** Somebody who has shown a token that is good. */
  private async welcome(line: Line, asked: Asked, admitted: Admitted): Promise<void> {
    const challenge = asked.protocol.challenge(admitted.device);
    if (!challenge) return this.begin(line, asked, admitted);
    await this.inLobby(line, asked, async (lobby) => {
      await prove(line, challenge, lobby);
      return admitted;
    });
  }

  /** Keeps a client waiting until it is known who it is. */
  private async inLobby(line: Line, asked: Asked, ask: (lobby: Lobby) => Promise<Admitted>): Promise<void> {
    const lobby = new Lobby(line.client);
    this.lobbies.add(lobby);
    try {
      const admitted = await ask(lobby);
      this.begin(line, asked, admitted, lobby.leave());
    } finally {
      lobby.leave();
      this.lobbies.delete(lobby);
    }
  }

  private begin(line: Line, { protocol }: Asked, admitted: Admitted, early?: readonly Message[]): void {
    // While it was looked up who this is, the process may have begun to stop.
    this.reception.requireOpen();
    this.guests.begin(line, protocol, admitted, early);
  }

  private refuse(socket: Duplex, problem: Problem): void {
    socket.once('finish', () => socket.destroy());
    socket.end(rawAnswer(problem, newRequestId()));
  }
}

const ignore = (): void => {};

/** What a client is told that has to come again. */
const RESTART = 'Service restart';

async function prove({ client }: Line, challenge: Challenge, lobby: Lobby): Promise<void> {
  client.send(JSON.stringify(challenge.frame));
  if (!challenge.accepts(await lobby.next())) throw new Problem('unauthenticated', 'the key is not proved');
}

/** Says why after the upgrade, and ends the connection. */
function turnAway(client: WebSocket, protocol: SocketProtocol, problem: Problem): void {
  if (client.readyState !== client.OPEN) return;
  client.send(JSON.stringify(protocol.complaint(problem)), ignore);
  if (problem.code === 'stopping') client.close(CLOSE.restart, RESTART);
  else client.close(closeCodeOf(problem), problem.code);
}

/** An outage is no refusal: who is told of one may come again as he is. */
function closeCodeOf({ code, status }: Problem): number {
  if (code === 'internal_error') return CLOSE.internal;
  if (status >= 500) return CLOSE.later;
  return code === 'payload_too_large' ? CLOSE.tooBig : CLOSE.policy;
}
