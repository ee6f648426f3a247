import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

export class HealthAnswer {
  @ApiProperty({ enum: ['ok'] })
  status!: 'ok';

  @ApiProperty({ format: 'date-time', description: 'The time of the server' })
  timestamp!: string;
}

export type Neighbour = keyof NeighbourStates;

export class NeighbourState {
  @ApiProperty({ enum: ['up', 'down'] })
  state!: 'up' | 'down';

  @ApiProperty({ description: 'How long it took to say so, in milliseconds' })
  ms!: number;
}

export class NeighbourStates {
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

  @ApiPropertyOptional({ description: 'With `REDIS_URL`: what the API processes tell each other through' })
  valkey?: NeighbourState;
}

export class ReadinessAnswer {
  @ApiProperty({
    enum: ['ready', 'degraded', 'unavailable', 'stopping'],
    description:
      '`degraded`: accounts and chat work, calls, relaying, pushes or what several API processes do together may not. `unavailable` and `stopping` (this process is about to end) answer 503',
  })
  status!: 'ready' | 'degraded' | 'unavailable' | 'stopping';

  @ApiProperty({ type: NeighbourStates })
  neighbours!: NeighbourStates;
}
