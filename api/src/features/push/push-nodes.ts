import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import type { Caller } from '../../http/access.js';
import type { RegisterPushAnswer } from './push.dto.js';
import { type DeadNode, type PushNode, PushNodesRepository } from './push-nodes.repository.js';

export type { PushNode };

/** The names under which the chat server pushes to devices (XEP-0357 §5): one for each, for as long as it is registered. */
@Injectable()
export class PushNodes {
  private readonly service: string;
  private readonly key: Buffer;

  constructor(
    private readonly nodes: PushNodesRepository,
    @Inject(CONFIG) { addresses, neighbours }: Config,
  ) {
    this.service = `push.${addresses.xmppDomain}`;
    this.key = createHmac('sha256', neighbours.componentSecret.reveal()).update('veil push nodes').digest();
  }

  /** Tells the client that has registered a device of its own what to enable push with on its XMPP stream. */
  async registered({ jid }: Caller, deviceId: string): Promise<RegisterPushAnswer> {
    const node = await this.nodes.nodeOf(jid, deviceId, randomBytes(24).toString('base64url'));
    if (!node) return { status: 'registered', xmpp_push: null };
    const secret = this.secretOf(node).toString('base64url');
    return { status: 'registered', xmpp_push: { jid: this.service, node, secret } };
  }

  /** The device; undefined when none is registered under that node. */
  find(node: string): Promise<PushNode | undefined> {
    return this.nodes.find(node);
  }

  /** Whether that is the node's secret. */
  proves(node: string, secret: string): boolean {
    const given = Buffer.from(secret, 'base64url');
    const right = this.secretOf(node);
    return given.length === right.length && timingSafeEqual(given, right);
  }

  /** Up to `most` nodes whose devices are registered no more: once told, they are forgotten. */
  takeDead(most: number): Promise<DeadNode[]> {
    return this.nodes.takeDead(most);
  }

  /** Derived: the database alone wakes nobody. */
  private secretOf(node: string): Buffer {
    return createHmac('sha256', this.key).update(node).digest();
  }
}
