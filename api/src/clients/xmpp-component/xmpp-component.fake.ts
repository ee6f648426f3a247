import type { Element } from '@xmpp/xml';
import type { IqAnswer } from './stanzas.js';
import { type IqHandler, XmppComponent } from './xmpp-component.client.js';

/** A chat server that lets the component in: requests come from the test, and messages are kept; `down` breaks it off. */
export class FakeXmppComponent extends XmppComponent {
  readonly messages: { to: string; payload: string }[] = [];
  down = false;
  private handler: IqHandler | undefined;

  constructor(readonly jid: string) {
    super();
  }

  get connected(): boolean {
    return !this.down;
  }

  onIq(handler: IqHandler): void {
    this.handler = handler;
  }

  sendMessage(to: string, payload: Element): boolean {
    if (!this.down) this.messages.push({ to, payload: payload.toString() });
    return !this.down;
  }

  /** What the component answers. */
  async ask(from: string, type: 'get' | 'set', payload: Element): Promise<IqAnswer> {
    if (!this.handler) throw new Error('nobody answers requests');
    return this.handler(from, type, payload);
  }
}
