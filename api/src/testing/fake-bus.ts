import { Bus } from '../realtime/bus.js';

/** The bus of a process that has one other. */
export class FakeBus extends Bus {
  readonly connected = true;
  readonly parts = 1;
  readonly published: string[] = [];

  publish(topic: string, message: string): boolean {
    this.published.push(`${topic} ${message}`);
    return true;
  }

  send(): boolean {
    return true;
  }

  /** The other process says something. */
  hear(topic: string, message: string): void {
    this.deliver(topic, message, 'other');
  }
}
