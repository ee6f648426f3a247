import { type Connection, SocketProtocol } from '../realtime/protocol.js';

/** A protocol in which nothing is said. */
export class FakeProtocol extends SocketProtocol {
  readonly paths = [];
  readonly maxFrameBytes = 1024;
  /** The devices that were pinged, in order. */
  readonly pingsOf: string[] = [];

  constructor(readonly name: string) {
    super();
  }

  complaint(): object {
    return {};
  }

  received(): void {}

  override pinged({ device }: Connection): void {
    this.pingsOf.push(device.id);
  }
}
