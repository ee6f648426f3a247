import { Body, Controller, Delete, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Caller, CurrentCaller, Internal, RateLimited } from '../../http/access.js';
import { Problems } from '../../http/openapi.js';
import {
  DeregisterPushAnswer,
  DeregisterPushRequest,
  RegisterPushAnswer,
  RegisterPushRequest,
  SipDeviceAnswer,
  SipDeviceRequest,
  TestPushAnswer,
  TestPushRequest,
} from './push.dto.js';
import { PushService } from './push.service.js';
import { PushNodes } from './push-nodes.js';
import { PushTest } from './push-test.js';
import { SipDevices } from './sip-devices.js';

@ApiTags('push')
@ApiBearerAuth()
@Controller('push')
export class PushController {
  constructor(
    private readonly push: PushService,
    private readonly nodes: PushNodes,
    private readonly tests: PushTest,
    private readonly sipDevices: SipDevices,
  ) {}

  @Post('register')
  @HttpCode(200)
  @RateLimited('register_push')
  @ApiOperation({ summary: 'Register a device for push, or replace its token' })
  @ApiOkResponse({ type: RegisterPushAnswer })
  @Problems('validation_failed', 'unauthenticated', 'forbidden', 'too_many_devices')
  register(@CurrentCaller() caller: Caller, @Body() request: RegisterPushRequest): Promise<RegisterPushAnswer> {
    return this.push.register(caller, request).then(() => this.nodes.registered(caller, request.device_id));
  }

  @Delete('register')
  @ApiOperation({ summary: 'Forget a device' })
  @ApiOkResponse({ type: DeregisterPushAnswer })
  @Problems('validation_failed', 'unauthenticated', 'forbidden', 'not_found')
  deregister(
    @CurrentCaller() caller: Caller,
    @Body() { jid, device_id }: DeregisterPushRequest,
  ): Promise<DeregisterPushAnswer> {
    return this.push.deregister(caller, jid, device_id).then(() => ({ status: 'deregistered' }));
  }

  @Post('sip-registrations')
  @HttpCode(202)
  @Internal()
  @ApiOperation({
    summary: 'Webhook of the SIP server: push parameters in a contact (RFC 8599)',
    description: 'On the internal listener only, with the internal secret as Bearer token. Repetition changes nothing.',
  })
  @ApiAcceptedResponse({ type: SipDeviceAnswer })
  @Problems('validation_failed', 'unauthenticated', 'not_found', 'too_many_devices', 'database_unavailable')
  registerBySip(@Body() request: SipDeviceRequest): Promise<SipDeviceAnswer> {
    return this.sipDevices.take(request);
  }

  @Post('test')
  @HttpCode(200)
  @RateLimited('test_push')
  @ApiOperation({
    summary: 'Ring or notify one of your own devices',
    description: 'Answers what the provider said. The call that is rung for does not exist: nobody can take it.',
  })
  @ApiOkResponse({ type: TestPushAnswer })
  @Problems('validation_failed', 'unauthenticated', 'not_found')
  test(@CurrentCaller() caller: Caller, @Body() { device_id, kind }: TestPushRequest): Promise<TestPushAnswer> {
    return this.tests.run(caller, device_id, kind);
  }
}
