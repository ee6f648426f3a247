import { Agent } from 'node:http';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import axios, { type AxiosInstance } from 'axios';
import { NeighbourTimes } from '../../common/neighbour-times.js';
import { Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';

/** What the product asks of the SIP server while it runs; subscribers are rows in the database. */
export abstract class Kamailio {
  /** Answers when Kamailio does. @throws Problem call_server_unavailable */
  abstract ping(): Promise<void>;
  /** Like `6.0.3`; undefined when it does not say. @throws Problem call_server_unavailable */
  abstract version(): Promise<string | undefined>;
  /** Takes the certificate over that lies in its files now, for connections to come. @throws Problem call_server_unavailable */
  abstract reloadCertificate(): Promise<void>;
  /** Ends every registration of the address of record `username@domain`; none is fine. @throws Problem call_server_unavailable */
  abstract removeContacts(addressOfRecord: string): Promise<void>;
  /** Ends one of its registrations, named by its contact as `location` has it; none is fine. @throws Problem call_server_unavailable */
  abstract removeContact(addressOfRecord: string, contact: string): Promise<void>;
}

const NOT_REGISTERED = 404;

/** Kamailio's JSON-RPC (jsonrpcs over HTTP), guarded by the shared internal secret. */
@Injectable()
export class KamailioRpcClient extends Kamailio implements OnApplicationShutdown {
  private readonly http: AxiosInstance;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 4 });

  constructor(
    @Inject(CONFIG) { http, neighbours, ports }: Config,
    private readonly times: NeighbourTimes,
  ) {
    super();
    this.http = axios.create({
      baseURL: neighbours.kamailioUrl || `http://127.0.0.1:${ports.sipRpc}`,
      headers: { authorization: `Bearer ${http.internalSecret.reveal()}` },
      httpAgent: this.agent,
      timeout: neighbours.timeoutMs,
      maxRedirects: 0,
      proxy: false,
      validateStatus: () => true,
    });
  }

  onApplicationShutdown(): void {
    this.agent.destroy();
  }

  async ping(): Promise<void> {
    await this.call('core.uptime', []);
  }

  async version(): Promise<string | undefined> {
    return /^kamailio (\S+)/.exec(String(await this.call('core.version', [])))?.[1];
  }

  async reloadCertificate(): Promise<void> {
    await this.call('tls.reload', []);
  }

  async removeContacts(addressOfRecord: string): Promise<void> {
    await this.call('ul.rm', ['location', addressOfRecord]);
  }

  async removeContact(addressOfRecord: string, contact: string): Promise<void> {
    await this.call('ul.rm_contact', ['location', addressOfRecord, contact]);
  }

  private call(method: string, params: string[]): Promise<unknown> {
    return this.times.measure('kamailio', method, () => this.ask(method, params));
  }

  private async ask(method: string, params: string[]): Promise<unknown> {
    const answer = await this.http.post('/rpc', { jsonrpc: '2.0', id: 1, method, params }).catch((error: unknown) => {
      // The cause is left out: axios keeps the request in it, the secret included.
      const reason = axios.isAxiosError(error) ? error.code : 'unknown';
      throw new Problem('call_server_unavailable', `Kamailio did not answer ${method} (${reason})`);
    });
    const code = answer.data?.error?.code;
    if (code === undefined ? answer.status === 200 : code === NOT_REGISTERED) return answer.data?.result;
    throw new Problem('call_server_unavailable', `Kamailio answered ${method} with ${answer.status} ${code ?? ''}`);
  }
}
