import { CertificateService } from '../features/certificate/certificate.service.js';
import { inApplication } from './application.js';
import type { Verb } from './verb.js';

async function reload(): Promise<number> {
  await inApplication((app) => app.get(CertificateService).reload());
  return 0;
}

export const certificateVerbs: readonly Verb[] = [
  {
    name: 'certificate reload',
    about: 'have ejabberd and Kamailio take a new certificate over; setup-certs.sh does so',
    run: reload,
  },
];
