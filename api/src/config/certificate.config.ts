import { emailAddress, port, setting, textFile, url } from './setting.js';

/** What scripts/setup-certs.sh reads; they are listed here so that every setting stands in one table. */
export const certificateSettings = {
  ACME_EMAIL: setting(
    'ACME_EMAIL',
    emailAddress,
    '',
    'Address that the authority may write to about certificates. With it, scripts/setup-certs.sh gets a certificate that everybody trusts; empty: it is signed by an authority of our own.',
  ),
  ACME_SERVER: setting(
    'ACME_SERVER',
    url('https:'),
    'https://acme-v02.api.letsencrypt.org/directory',
    "Directory of that authority (RFC 8555). The default is Let's Encrypt.",
  ),
  ACME_CA_FILE: setting(
    'ACME_CA_FILE',
    textFile,
    '',
    'File with the certificate of the authority that signed the one of ACME_SERVER, as PEM. Empty: the public ones.',
  ),
  ACME_HTTP_PORT: setting(
    'ACME_HTTP_PORT',
    port,
    80,
    'Port on which the authority is shown that the names are ours. It asks at port 80 of each name; another value is for whoever forwards that.',
  ),
};
