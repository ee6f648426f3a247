import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBearerAuth, ApiOkResponse, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { type Caller, CurrentCaller, Internal } from '../../http/access.js';
import { Problems } from '../../http/openapi.js';
import { CallEvents } from './call-events.js';
import { CallNotices } from './call-notices.js';
import {
  CallEventsAnswer,
  CallEventsRequest,
  CallNotifyAnswer,
  CallNotifyRequest,
  CallsAnswer,
  CallTraceAnswer,
} from './calls.dto.js';
import { CallsService } from './calls.service.js';

@ApiTags('calls')
@ApiBearerAuth()
@Controller()
export class CallsController {
  constructor(
    private readonly calls: CallsService,
    private readonly notices: CallNotices,
    private readonly events: CallEvents,
  ) {}

  @Get('calls')
  @ApiOperation({ summary: 'Calls from and to the own account, the newest first' })
  @ApiQuery({ name: 'limit', required: false, description: 'How many, 1 to 100; 50 when it is not said' })
  @ApiQuery({ name: 'before', required: false, description: '`next` of the page before' })
  @ApiOkResponse({ type: CallsAnswer })
  @Problems('unauthenticated', 'validation_failed')
  list(
    @CurrentCaller() caller: Caller,
    @Query('limit') limit?: string,
    @Query('before') before?: string,
  ): Promise<CallsAnswer> {
    return this.calls.list(caller.accountId, { limit, before });
  }

  @Get('calls/:call_id/trace')
  @ApiOperation({
    summary: 'What happened in a call, step by step',
    description:
      'The callee sees pushes and devices, the caller what his phone was told. docs/calls.md explains each step.',
  })
  @ApiOkResponse({ type: CallTraceAnswer })
  @Problems('unauthenticated', 'not_found')
  trace(@CurrentCaller() caller: Caller, @Param('call_id') callId: string): Promise<CallTraceAnswer> {
    return this.calls.trace(caller.accountId, callId);
  }

  @Post('push/call-notify')
  @HttpCode(202)
  @Internal()
  @ApiOperation({
    summary: 'Webhook of the SIP server: somebody is called',
    description:
      'On the internal listener only, with the internal secret as Bearer token. Answered before the devices are pushed, ' +
      'which is done once for each call.',
  })
  @ApiAcceptedResponse({ type: CallNotifyAnswer })
  @Problems('validation_failed', 'unauthenticated', 'not_found', 'database_unavailable')
  callNotify(@Body() request: CallNotifyRequest): Promise<CallNotifyAnswer> {
    return this.notices.take(request);
  }

  @Post('calls/events')
  @HttpCode(202)
  @Internal()
  @ApiOperation({
    summary: 'Webhook of the SIP server: what becomes of calls',
    description:
      'On the internal listener only, with the internal secret as Bearer token. Events may come late, again and in any order.',
  })
  @ApiAcceptedResponse({ type: CallEventsAnswer })
  @Problems('validation_failed', 'unauthenticated', 'not_found', 'database_unavailable')
  takeEvents(@Body() request: CallEventsRequest): Promise<CallEventsAnswer> {
    return this.events.take(request);
  }
}
