import { type DynamicModule, Module } from '@nestjs/common';
import type { Config } from './config/config.js';
import { ConfigModule } from './config/config.module.js';
import { DatabaseModule } from './database/database.module.js';
import { AccountModule } from './features/account/account.module.js';
import { CallsModule } from './features/calls/calls.module.js';
import { CertificateModule } from './features/certificate/certificate.module.js';
import { ChatPushModule } from './features/chat-push/chat-push.module.js';
import { ContactsModule } from './features/contacts/contacts.module.js';
import { DevicesModule } from './features/devices/devices.module.js';
import { DoctorModule } from './features/doctor/doctor.module.js';
import { EmailModule } from './features/email/email.module.js';
import { ExportModule } from './features/export/export.module.js';
import { GoogleModule } from './features/google/google.module.js';
import { GroupsModule } from './features/groups/groups.module.js';
import { HealthModule } from './features/health/health.module.js';
import { MonitorModule } from './features/monitor/monitor.module.js';
import { PairingModule } from './features/pairing/pairing.module.js';
import { PushModule } from './features/push/push.module.js';
import { RelayModule } from './features/relay/relay.module.js';
import { RetentionModule } from './features/retention/retention.module.js';
import { ServerInfoModule } from './features/server-info/server-info.module.js';
import { SessionsModule } from './features/sessions/sessions.module.js';
import { SignalingModule } from './features/signaling/signaling.module.js';
import { TurnModule } from './features/turn/turn.module.js';
import { HttpModule } from './http/http.module.js';
import { RealtimeModule } from './realtime/realtime.module.js';

/** The list of features. */
@Module({
  imports: [
    DatabaseModule,
    HttpModule,
    RealtimeModule,
    AccountModule,
    CallsModule,
    CertificateModule,
    ContactsModule,
    DevicesModule,
    PairingModule,
    RelayModule,
    DoctorModule,
    EmailModule,
    ExportModule,
    GoogleModule,
    GroupsModule,
    HealthModule,
    MonitorModule,
    PushModule,
    ChatPushModule,
    RetentionModule,
    ServerInfoModule,
    SessionsModule,
    SignalingModule,
    TurnModule,
  ],
})
export class AppModule {
  /** @param background whether this process does the work that nobody waits for */
  static with(config: Config, { background = true } = {}): DynamicModule {
    return { module: AppModule, imports: [ConfigModule.with(config, background)] };
  }
}
