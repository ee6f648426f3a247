import { Problem } from '../../common/problem.js';
import { Kamailio } from './kamailio.client.js';

/** A SIP server in memory: records whose registrations were ended; `down` makes it unreachable. */
export class FakeKamailio extends Kamailio {
  readonly removed: string[] = [];
  down = false;

  async ping(): Promise<void> {
    if (this.down) throw new Problem('call_server_unavailable', 'the fake is down');
  }

  async version(): Promise<string | undefined> {
    await this.ping();
    return '6.0.3';
  }

  async reloadCertificate(): Promise<void> {
    await this.ping();
  }

  async removeContacts(addressOfRecord: string): Promise<void> {
    await this.ping();
    this.removed.push(addressOfRecord);
  }

  async removeContact(addressOfRecord: string, contact: string): Promise<void> {
    await this.removeContacts(`${addressOfRecord} ${contact}`);
  }
}
