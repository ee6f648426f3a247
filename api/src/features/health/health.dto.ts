import { ApiProperty } from '@nestjs/swagger';

export class HealthAnswer {
  @ApiProperty({ enum: ['ok'] })
  status!: 'ok';
}

export const NEIGHBOURS = ['postgresql', 'ejabberd', 'kamailio', 'rtpengine', 'coturn'] as const;
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
}

export class ReadinessAnswer {
  @ApiProperty({
    enum: ['ready', 'degraded', 'unavailable', 'stopping'],
    description:
      '`degraded`: accounts and chat work, calls or relaying may not. `unavailable` and `stopping` (this process is about to end) answer 503',
  })
  status!: 'ready' | 'degraded' | 'unavailable' | 'stopping';

  @ApiProperty({ type: NeighbourStates })
  neighbours!: NeighbourStates;
}
