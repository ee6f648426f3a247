import type { Bus } from './bus.js';

/** How long another process may take to say whether it has written a frame. */
const ANSWER_MS = 2000;

type Deliver = (protocol: string, deviceId: string, text: string) => boolean;

/** Gives frames to devices of other processes, which say whether they have written them. */
export class RemoteDelivery {
  private readonly asked = new Map<number, (delivered: boolean) => void>();
  private last = 0;

  constructor(
    private readonly bus: Bus,
    deliver: Deliver,
  ) {
    bus.subscribe('frame', (message, from) => {
      const [id, protocol, deviceId, text] = JSON.parse(message);
      bus.send(from, 'delivered', JSON.stringify([id, deliver(protocol, deviceId, text)]));
    });
    bus.subscribe('delivered', (message) => {
      const [id, delivered] = JSON.parse(message);
      this.asked.get(id)?.(delivered);
    });
  }

  /** False also when nobody says that it was written. */
  deliver(peer: string, protocol: string, deviceId: string, text: string): Promise<boolean> {
    this.last += 1;
    const id = this.last;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => answered(false), ANSWER_MS);
    const answered = (delivered: boolean): void => {
      clearTimeout(timer);
      this.asked.delete(id);
      resolve(delivered);
    };
    this.asked.set(id, answered);
    if (!this.bus.send(peer, 'frame', JSON.stringify([id, protocol, deviceId, text]))) answered(false);
    return promise;
  }
}
