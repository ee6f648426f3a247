import { Module } from '@nestjs/common';
import { SmtpModule } from '../../clients/smtp/smtp.module.js';
import { DoctorModule } from '../doctor/doctor.module.js';
import { MonitorLoop } from './monitor.loop.js';
import { MonitorRepository } from './monitor.repository.js';
import { MonitorService } from './monitor.service.js';

@Module({
  imports: [DoctorModule, SmtpModule],
  providers: [MonitorService, MonitorRepository, MonitorLoop],
  exports: [MonitorService],
})
export class MonitorModule {}
