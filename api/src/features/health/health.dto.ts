import { ApiProperty } from '@nestjs/swagger';

export class HealthAnswer {
  @ApiProperty({ enum: ['ok'] })
  status!: 'ok';

  @ApiProperty({ format: 'date-time', description: 'The time of the server' })
  timestamp!: string;
}

export const SERVERS = ['postgresql', 'ejabberd', 'kamailio', 'rtpengine', 'coturn'] as const;
/** With the connection that this process keeps to the component listener of ejabberd. */
export const NEIGHBOURS = [...SERVERS, 'chat_push'] as const;
export type Neighbour = (typeof NEIGHBOURS)[number];

export class NeighbourState {
  @ApiProperty({ enum: ['up', 'down'] })
  state!: 'up' | 'down';

  @ApiProperty({ description: 'How long it took to say so, in milliseconds' })
  ms!: number;
}

export class NeighbourStates implements Record<Neighbour, NeighbourState> {
  @ApiProperty()
  postgresql!: NeighbourState;

  @ApiProperty()
  ejabberd!: NeighbourState;

  @ApiProperty()
  kamailio!: NeighbourState;

  @ApiProperty()
  rtpengine!: NeighbourState;

  @ApiProperty()
  coturn!: NeighbourState;

  @ApiProperty({ description: 'The component listener of ejabberd, by which it wakes devices' })
  chat_push!: NeighbourState;
}

export class ReadinessAnswer {
  @ApiProperty({
    enum: ['ready', 'degraded', 'unavailable', 'stopping'],
    description:
      '`degraded`: accounts and chat work, calls, relaying or pushes may not. `unavailable` and `stopping` (this process is about to end) answer 503',
  })
  status!: 'ready' | 'degraded' | 'unavailable' | 'stopping';

  @ApiProperty({ type: NeighbourStates })
  neighbours!: NeighbourStates;
}
