import type { Certificate } from '../../clients/probes/certificate.js';
import { type Finding, fault, ok, type Verdict, warning } from './finding.js';

const DAY_MS = 86_400_000;
const WARNING_DAYS = 14;
const FAULT_DAYS = 3;

const RENEW = 'renew it; up.sh does so for its own (docs/operations.md, Certificate), then run scripts/up.sh';

/** A certificate that was shown, and where: `5223 (XMPP, TLS)`. */
export interface Sighting {
  /** Of the check that saw it. */
  id: string;
  place: string;
  certificate: Certificate;
}

/** One finding for each certificate and name that clients ask it for, under the first of the ports that show it. */
export function certificateFindings(sightings: readonly Sighting[], now: Date): Finding[] {
  const same = Map.groupBy(sightings, ({ certificate }) => `${certificate.name} ${certificate.fingerprint}`);
  return [...same.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const places = group.map(({ place }) => place).join(', ');
    const probed = `Certificate for ${first.certificate.name} at ${places}`;
    return { id: `certificate.${first.id}`, probed, ...judge(first.certificate, now) };
  });
}

/** Whether a certificate comes to its end, whoever signed it. */
export function judgeEnd({ validUntil }: Certificate, now: Date): Verdict {
  const days = Math.floor((validUntil.getTime() - now.getTime()) / DAY_MS);
  const end = validUntil.toISOString().slice(0, 10);
  if (validUntil <= now) return fault(`it expired on ${end}: clients refuse to connect`, RENEW);
  if (days < FAULT_DAYS) return fault(`it ends in ${days} days, on ${end}`, RENEW);
  if (days < WARNING_DAYS) return warning(`it ends in ${days} days, on ${end}`, RENEW);
  return ok(`trusted until ${end}, for ${days} days`);
}

/** What a client makes of a certificate: whether it is for the name, valid now, and by whom it is signed. */
export function judge(certificate: Certificate, now: Date): Verdict {
  const atItsEnd = judgeEnd(certificate, now);
  if (certificate.validUntil <= now) return atItsEnd;
  if (certificate.validFrom > now) return fault('it is not valid yet: clients refuse to connect', CHECK_CLOCK);
  if (!certificate.coversName) return fault('it is for other names: clients refuse to connect', otherName(certificate));
  if (certificate.distrust) return distrusted(certificate.distrust);
  return atItsEnd;
}

const CHECK_CLOCK = 'set the clock of this machine right, or get a certificate that is valid now';

const otherName = ({ name }: Certificate): string =>
  `get a certificate that names ${name}, or correct the setting that sends clients to this name`;

const OWN_AUTHORITY =
  'for clients everywhere get a certificate of a public authority (docs/operations.md, Certificate); if clients are ' +
  'told to trust your own, check again with --ca FILE, which is tls/ca.crt of the state directory';

function distrusted(reason: string): Verdict {
  if (reason === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' || reason === 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY') {
    return fault(
      'no authority that is trusted here signed it, or the server leaves out those in between: clients refuse to connect',
      `put the whole chain into server.crt, the server's own certificate first; ${OWN_AUTHORITY}`,
    );
  }
  if (/SELF_SIGNED/.test(reason)) return fault('it is self-signed: clients refuse to connect', OWN_AUTHORITY);
  return fault(`its chain is not valid (${reason}): clients refuse to connect`, OWN_AUTHORITY);
}
