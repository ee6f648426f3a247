import { Module } from '@nestjs/common';
import { ContactsModule } from '../contacts/contacts.module.js';
import { TurnModule } from '../turn/turn.module.js';
import { Reach } from './reach.js';
import { SignalingGateway } from './signaling.gateway.js';

@Module({ imports: [ContactsModule, TurnModule], providers: [SignalingGateway, Reach] })
export class SignalingModule {}
