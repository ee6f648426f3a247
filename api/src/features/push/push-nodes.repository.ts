import { Inject, Injectable } from '@nestjs/common';
import { SQL, type Sql } from '../../database/database.module.js';

/** A device of an account, as the chat server pushes to it. */
export interface PushNode {
  accountId: string;
  deviceId: string;
}

/** A name under which nobody is woken any more, and the account whose device it was. */
export interface DeadNode {
  jid: string;
  node: string;
}

@Injectable()
export class PushNodesRepository {
  constructor(@Inject(SQL) private readonly sql: Sql) {}

  /** The node of a registered device: the one that it has, or else the new one; undefined when it is not registered. */
  async nodeOf(jid: string, deviceId: string, fresh: string): Promise<string | undefined> {
    const [row] = await this.sql<{ node: string }[]>`
      INSERT INTO push_nodes AS known (node, account_id, jid, device_uuid)
      SELECT ${fresh}, account_id, jid, device_uuid FROM push_registrations
      WHERE jid = ${jid} AND device_uuid = ${deviceId} FOR KEY SHARE
      ON CONFLICT (jid, device_uuid) DO UPDATE SET device_uuid = known.device_uuid
      RETURNING node`;
    return row?.node;
  }

  /** Undefined when no device is registered under it, or none any more. */
  async find(node: string): Promise<PushNode | undefined> {
    const [row] = await this.sql<PushNode[]>`
      SELECT account_id AS "accountId", device_uuid AS "deviceId"
      FROM push_nodes WHERE node = ${node} AND device_uuid IS NOT NULL`;
    return row;
  }

  /** Forgets up to `most` nodes whose devices are registered no more, of accounts that are still there. */
  async takeDead(most: number): Promise<DeadNode[]> {
    return this.sql<DeadNode[]>`
      DELETE FROM push_nodes WHERE node IN (
        SELECT node FROM push_nodes WHERE device_uuid IS NULL LIMIT ${most} FOR UPDATE SKIP LOCKED)
      RETURNING jid, node`;
  }
}
