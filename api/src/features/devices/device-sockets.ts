import { Injectable } from '@nestjs/common';
import { Upkeep } from '../../realtime/upkeep.js';
import { SessionEnding } from '../sessions/session-ending.js';

/** Connections end with their sessions: at once, rather than when their turn comes to be looked up. */
@Injectable()
export class DeviceSockets {
  constructor(ending: SessionEnding, upkeep: Upkeep) {
    ending.addStep(({ id }) => upkeep.recheck(id));
  }
}
