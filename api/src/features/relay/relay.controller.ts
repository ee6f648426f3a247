import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { type Caller, CurrentCaller, RateLimited } from '../../http/access.js';
import { Problems } from '../../http/openapi.js';
import { CallRequest, CommandAnswer, HistoryAnswer, SendSmsRequest } from './relay.dto.js';
import { RelayService } from './relay.service.js';
import { MOST_ITEMS, RelayHistory } from './relay-history.js';

const COMMAND_PROBLEMS = [
  ...(['validation_failed', 'unauthenticated', 'no_client_device', 'forbidden', 'queue_full'] as const),
  ...(['command_expired', 'database_unavailable'] as const),
];

@ApiTags('relay')
@ApiBearerAuth()
@Controller()
export class RelayController {
  constructor(
    private readonly relay: RelayService,
    private readonly past: RelayHistory,
  ) {}

  @Post('sms')
  @HttpCode(200)
  @RateLimited('relay_commands')
  @ApiOperation({
    summary: 'Send a text message through a SIM card of a paired phone',
    description: 'It waits for a phone that is offline, RELAY_SMS_SECONDS at most. docs/relay.md has the sockets.',
  })
  @ApiOkResponse({ type: CommandAnswer })
  @Problems(...COMMAND_PROBLEMS)
  sendSms(@CurrentCaller() caller: Caller, @Body() request: SendSmsRequest): Promise<CommandAnswer> {
    return this.relay.sendSms(caller, request);
  }

  @Post('call')
  @HttpCode(200)
  @RateLimited('relay_commands')
  @ApiOperation({
    summary: 'Call somebody with a SIM card of a paired phone',
    description: 'It waits for a phone that is offline, RELAY_CALL_SECONDS at most.',
  })
  @ApiOkResponse({ type: CommandAnswer })
  @Problems(...COMMAND_PROBLEMS)
  call(@CurrentCaller() caller: Caller, @Body() request: CallRequest): Promise<CommandAnswer> {
    return this.relay.call(caller, request);
  }

  @Get('sims')
  @RateLimited('relay_commands')
  @ApiOperation({
    summary: 'Ask a paired phone for its SIM cards',
    description: 'The answer is an event over the sockets of the clients that are paired with it.',
  })
  @ApiQuery({ name: 'host_device_id', description: 'The host, one of your own devices', example: 7 })
  @ApiOkResponse({ type: CommandAnswer })
  @Problems(...COMMAND_PROBLEMS)
  getSims(@CurrentCaller() caller: Caller, @Query('host_device_id') host?: string): Promise<CommandAnswer> {
    return this.relay.getSims(caller, host);
  }

  @Get('history')
  @RateLimited('relay_history')
  @ApiOperation({
    summary: 'Commands and events between your devices, the newest first',
    description:
      'Kept for RELAY_HISTORY_DAYS, RELAY_HISTORY_MB of them. What WebRTC says of a call is passed on and not kept.',
  })
  @ApiQuery({ name: 'device_id', required: false, description: 'Only what it has sent or was sent', example: 7 })
  @ApiQuery({ name: 'limit', required: false, description: `How many, 1 to ${MOST_ITEMS}; 50 when it is not said` })
  @ApiQuery({ name: 'offset', required: false, description: 'After as many; 0 when it is not said' })
  @ApiOkResponse({ type: HistoryAnswer })
  @Problems('unauthenticated', 'validation_failed', 'rate_limited')
  history(
    @CurrentCaller() { accountId }: Caller,
    @Query('device_id') deviceId?: string,
    @Query('limit') limit?: string,
    @Query('offset') offset?: string,
  ): Promise<HistoryAnswer> {
    return this.past.page(accountId, { deviceId, limit, offset });
  }
}
