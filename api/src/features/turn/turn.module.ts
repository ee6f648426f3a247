import { Module } from '@nestjs/common';
import { TurnController } from './turn.controller.js';
import { TurnService } from './turn.service.js';

@Module({ controllers: [TurnController], providers: [TurnService] })
export class TurnModule {}
