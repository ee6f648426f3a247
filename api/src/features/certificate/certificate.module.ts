import { Module } from '@nestjs/common';
import { EjabberdModule } from '../../clients/ejabberd/ejabberd.module.js';
import { KamailioModule } from '../../clients/kamailio/kamailio.module.js';
import { CertificateService } from './certificate.service.js';

/** For the command line. */
@Module({ imports: [EjabberdModule, KamailioModule], providers: [CertificateService], exports: [CertificateService] })
export class CertificateModule {}
