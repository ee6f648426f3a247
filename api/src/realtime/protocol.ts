import type { Problem } from '../common/problem.js';
import type { Caller } from '../http/access.js';
import type { KnownDevice } from './device-directory.js';

/** How a client said who it is: a header, `?token=`, or its first frame. */
export type Way = 'header' | 'query' | 'frame';

/** A frame: a JSON object, as it came. Nothing in it has been looked at. */
export type Frame = Readonly<Record<string, unknown>>;

/** A device that is connected, as protocols see it. */
export interface Connection {
  readonly device: KnownDevice;
  readonly caller: Caller;
  /** Which of the protocol's paths. */
  readonly path: string;
  readonly way: Way;
  /** False when it has ended, and nothing is received or sent any more. */
  readonly open: boolean;
  /** Sends a frame: an object, or the text of one. False when the connection has ended, or ends now since it reads too slowly. */
  send(frame: object | string): boolean;
  /** Resolves when the client has answered a ping that follows all that was sent: true; or when the connection ends: false. */
  confirmed(): Promise<boolean>;
  /** Ends the connection. What still comes from it is ignored. */
  close(code: number, reason: string): void;
}

/** What a device has to answer before it is let in. */
export interface Challenge {
  readonly frame: object;
  accepts(answer: Frame): boolean;
}

/**
 * One protocol over WebSockets. Whoever implements it registers it: `constructor(sockets: SocketServer) { sockets.serve(this) }`,
 * as a provider of its feature's module. The core does the rest:
 *
 * - It takes upgrades at `paths`, at the root of the server and below /api/v1, and finds out who asks: `Authorization: Bearer`,
 *   `?token=`, or a first frame `{"type":"auth","token","device_id"}` within ten seconds. The device is the path's
 *   `:device_id`, the query's or the frame's `device_id`. Before the upgrade it answers 401 for a token that is no good, 404 for a
 *   device that there is none of, 403 for another's.
 * - A device has one connection of a protocol, in all processes together: the older is closed with 1008.
 * - `opened`, then `received` for each frame in order, then `closed`, once. What `received` throws as a Problem is told by `complaint`.
 * - Frames beyond `maxFrameBytes` close with 1009, binary ones with 1003, what is no UTF-8 with 1007; too many, pings among them, with 1008.
 * - Every 30 seconds a ping; who has not answered until the next is cut off. Who reads too slowly is cut off.
 * - A connection whose session, account or device has ended is closed with 1008 within seconds. At the end of the process: 1012.
 *
 * What goes to a device goes through `Presence.deliver(protocol.name, deviceId, frame)`, wherever it is connected. Whether the
 * sender may reach it is the protocol's to decide, for each frame.
 */
export abstract class SocketProtocol {
  /** Of metrics, of logs, and of the connections: a device has one for each name. */
  abstract readonly name: string;
  /** Such as `/signal` or `/ws/host/:device_id`. */
  abstract readonly paths: readonly string[];
  abstract readonly maxFrameBytes: number;

  /**
   * What this protocol says when something is refused, such as a frame that is no JSON object (`malformed_request`). The
   * connection stays, unless the core closes it.
   * @param frame what failed, when it is a frame that could be read
   */
  abstract complaint(problem: Problem, frame?: Frame): object;

  /** A frame. What it returns is waited for only where the next frame must not come before: then pause the connection. */
  abstract received(connection: Connection, frame: Frame, bytes: number): void | Promise<void>;

  /** The connection has begun. */
  opened(_connection: Connection): void | Promise<void> {}

  /** The connection has ended. It may have been replaced: whether the device has gone is what Presence tells. */
  closed(_connection: Connection): void {}

  /** Refuses a device that has no business here. @param path as in `paths`. @throws Problem */
  admit(_device: KnownDevice, _path: string): void {}

  /** What a device has to prove before it is let in, after its token has been accepted; nothing unless it says so. */
  challenge(_device: KnownDevice): Challenge | undefined {
    return undefined;
  }

  /** Whether a refusal is told by an HTTP status, or by a close frame after the upgrade: what clients of the field expect. */
  refusesByClosing(_way: Way): boolean {
    return false;
  }

  /** A ping of the WebSocket protocol has been sent to the connection: every 30 seconds. */
  pinged(_connection: Connection): void {}
}
