import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Deadline, type Endpoint, UdpPort } from './sockets.js';

const HEADER_BYTES = 12;
/** 20 ms of PCMU: 8000 samples a second, a byte each (RFC 3551 §4.5.14). */
const FRAME_BYTES = 160;
const FRAME_MS = 20;

/** The media of one party of a call: PCMU in RTP (RFC 3550), whose content is a mark of this party. */
export class RtpStream {
  private readonly mark = randomBytes(FRAME_BYTES);
  private readonly source = randomBytes(4);
  private readonly heard = new Map<string, number>();

  private constructor(private readonly port: UdpPort) {
    port.onMessage((packet) => {
      const mark = packet.subarray(HEADER_BYTES).toString('hex');
      this.heard.set(mark, (this.heard.get(mark) ?? 0) + 1);
    });
    port.onError(() => {});
  }

  /** @throws ProbeError */
  static async open(deadline: Deadline): Promise<RtpStream> {
    return new RtpStream(await UdpPort.bind(undefined, deadline));
  }

  /** The description (RFC 8866) that tells the other party to send here. @param address ours */
  describe(address: string): string {
    const lines = ['v=0', `o=- 1 1 IN IP4 ${address}`, 's=-', `c=IN IP4 ${address}`, 't=0 0'];
    return [...lines, `m=audio ${this.port.local.port} RTP/AVP 0`, ''].join('\r\n');
  }

  /** Sends as many frames, as fast as they would be spoken. */
  async speak(to: Endpoint, frames: number): Promise<void> {
    for (let frame = 0; frame < frames; frame += 1) {
      this.port.send(Buffer.concat([this.header(frame), this.mark]), to);
      await delay(FRAME_MS);
    }
  }

  /** How many frames of the other party have arrived. */
  framesOf(other: RtpStream): number {
    return this.heard.get(other.mark.toString('hex')) ?? 0;
  }

  close(): void {
    this.port.close();
  }

  private header(frame: number): Buffer {
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt8(0x80, 0);
    header.writeUInt16BE(frame + 1, 2);
    header.writeUInt32BE(frame * FRAME_BYTES, 4);
    this.source.copy(header, 8);
    return header;
  }
}

/** Where a description wants audio sent to; undefined when it wants none. */
export function audioOf(sdp: string): Endpoint | undefined {
  const host = /^c=IN IP4 (\S+)/m.exec(sdp)?.[1];
  const port = Number(/^m=audio (\d+)/m.exec(sdp)?.[1]);
  return host && port > 0 ? { host, port } : undefined;
}
