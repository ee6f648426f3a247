import { Injectable } from '@nestjs/common';
import { wireId } from '../../common/device-id.js';
import { Problem } from '../../common/problem.js';
import type { KnownDevice } from '../../realtime/device-directory.js';
import { type Connection, type Frame, SocketProtocol } from '../../realtime/protocol.js';
import { SocketServer } from '../../realtime/socket-server.js';
import { RELAY, RelayDelivery } from './relay-delivery.js';
import { type Role, readFrame } from './relay-frame.js';
import { RelayRouter } from './relay-router.js';

/** The largest offer of WebRTC that browsers are known to make, and room. */
const MOST_FRAME_BYTES = 64 * 1024;

const ROLES: Readonly<Record<string, Role>> = { '/ws/host/:device_id': 'host', '/ws/client/:device_id': 'client' };

/** The sockets of the SIM relay: docs/relay.md has the contract. */
@Injectable()
export class RelayProtocol extends SocketProtocol {
  readonly name = RELAY;
  readonly paths = Object.keys(ROLES);
  readonly maxFrameBytes = MOST_FRAME_BYTES;

  constructor(
    private readonly router: RelayRouter,
    private readonly delivery: RelayDelivery,
    sockets: SocketServer,
  ) {
    super();
    sockets.serve(this);
  }

  override admit({ kind }: KnownDevice, path: string): void {
    if (kind !== ROLES[path]) throw new Problem('not_found', `you have no such ${ROLES[path]}`);
  }

  override opened(connection: Connection): Promise<void> {
    connection.send({ type: 'connected', device_id: wireId(connection.device.id) });
    return this.delivery.open(connection, roleOf(connection));
  }

  override received(connection: Connection, fields: Frame, bytes: number): void | Promise<void> {
    const frame = readFrame(fields, roleOf(connection), bytes);
    switch (frame.type) {
      case 'ping':
        connection.send({ type: 'pong' });
        return;
      case 'pong':
        return;
      case 'refused':
        connection.send(frame.answer);
        return;
      case 'ack':
        this.delivery.linkOf(connection)?.settle(frame.reqId);
        return;
      default:
        return this.router.route(connection, roleOf(connection), frame);
    }
  }

  override closed(connection: Connection): void {
    this.delivery.close(connection);
  }

  /** The apps know this ping; the core sends that of the protocol, by which it judges who is there. */
  override pinged(connection: Connection): void {
    connection.send({ type: 'ping' });
  }

  complaint({ code, detail }: Problem): object {
    return { error: code === 'malformed_request' ? 'invalid JSON' : detail };
  }
}

const roleOf = ({ path }: Connection): Role => ROLES[path] ?? 'client';
