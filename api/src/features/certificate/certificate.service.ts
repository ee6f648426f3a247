import { Injectable } from '@nestjs/common';
import { Ejabberd } from '../../clients/ejabberd/ejabberd.client.js';
import { Kamailio } from '../../clients/kamailio/kamailio.client.js';

/** What the API knows of certificates is who has to be told of a new one. */
@Injectable()
export class CertificateService {
  constructor(
    private readonly ejabberd: Ejabberd,
    private readonly kamailio: Kamailio,
  ) {}

  /** Has both servers take over what lies in their files now; whatever is connected stays so. @throws Problem naming who did not */
  async reload(): Promise<void> {
    const told = await Promise.allSettled([this.ejabberd.reloadCertificate(), this.kamailio.reloadCertificate()]);
    for (const one of told) if (one.status === 'rejected') throw one.reason;
  }
}
