import { Module } from '@nestjs/common';
import { EjabberdModule } from '../../clients/ejabberd/ejabberd.module.js';
import { KamailioModule } from '../../clients/kamailio/kamailio.module.js';
import { AccountModule } from '../account/account.module.js';
import { HealthModule } from '../health/health.module.js';
import { ServerInfoModule } from '../server-info/server-info.module.js';
import { DoctorRepository } from './doctor.repository.js';
import { DoctorService } from './doctor.service.js';
import { MachineCheckup } from './machine.checkup.js';
import { ServerLodging } from './server-lodging.js';
import { ServersCheckup } from './servers.checkup.js';
import { VitalsCheckup } from './vitals.checkup.js';

/** For the command line, and for the monitor, which only takes a glance. */
@Module({
  imports: [AccountModule, EjabberdModule, KamailioModule, HealthModule, ServerInfoModule],
  providers: [DoctorService, MachineCheckup, ServersCheckup, ServerLodging, DoctorRepository, VitalsCheckup],
  exports: [DoctorService, VitalsCheckup],
})
export class DoctorModule {}
