import type { ProbeError } from '../../clients/probes/probe-error.js';

/** The servers of a deployment, as an operator knows them. */
export type ServerName = 'api' | 'ejabberd' | 'kamailio' | 'rtpengine' | 'coturn' | 'postgres';

/** What a probe was aimed at, as far as it concerns what to do when it fails. */
export interface Aim {
  server: ServerName;
  port: number | string;
  transport: 'tcp' | 'udp';
  /** The setting that holds the port. */
  setting: string;
}

/** What an operator does about a server that did not answer as it should. */
export function remedyFor({ trouble }: ProbeError, { server, port, transport, setting }: Aim): string {
  const log = `log/${server}.log of the state directory says more`;
  switch (trouble) {
    case 'refused':
      return `run scripts/up.sh on the server, which starts ${server}; ${log}. Or ${setting} is not the port it listens on`;
    case 'silent':
      return (
        `open ${port}/${transport} in the firewalls of the server and its provider; if it is open, ${server} hangs: ` +
        `restart it; ${log}. Or ${setting} is another server's port`
      );
    case 'unresolved':
      return 'add the name to the DNS, or correct it in the settings';
    case 'unreachable':
      return 'check the address in the DNS and the routes from here to it';
    case 'untrusted':
      return 'see the finding about its certificate; your own authority is given by --ca FILE';
    case 'not_tls':
      return `${setting} must be the port on which ${server} speaks TLS, and nothing in between may end it`;
    case 'rejected':
      return log;
    case 'closed':
    case 'unexpected':
      return `something else may listen on ${port}/${transport}: correct ${setting} or stop the other; ${log}`;
  }
}
