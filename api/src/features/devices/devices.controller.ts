import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { type Caller, CurrentCaller, RateLimited } from '../../http/access.js';
import { OkOrAccepted, Problems } from '../../http/openapi.js';
import { DeviceAnswers } from './device-answers.js';
import {
  ChallengeAnswer,
  ChallengeRequest,
  CreateDeviceRequest,
  DeviceAnswer,
  DeviceEndAnswer,
  DeviceKeyAnswer,
  RegisterDeviceRequest,
  RenameDeviceRequest,
} from './devices.dto.js';
import { CHALLENGE_SECONDS, DevicesService, REGISTER_CONTEXT } from './devices.service.js';

@ApiTags('devices')
@ApiBearerAuth()
@Problems('unauthenticated')
@Controller('devices')
export class DevicesController {
  constructor(
    private readonly devices: DevicesService,
    private readonly answers: DeviceAnswers,
  ) {}

  @Post()
  @HttpCode(200)
  @RateLimited('change_device')
  @ApiOperation({
    summary: 'Add a device; the server gives it a number',
    description: 'Also at the root of the server. A session whose login named no device becomes that of this one.',
  })
  @ApiOkResponse({ type: DeviceAnswer })
  @Problems('validation_failed', 'unknown_device_type', 'too_many_devices')
  create(@CurrentCaller() caller: Caller, @Body() { name, type }: CreateDeviceRequest): Promise<DeviceAnswer> {
    return this.devices.create(caller, name, type).then((device) => this.answers.answer(device));
  }

  @Get()
  @ApiOperation({ summary: 'List your devices, the oldest first', description: 'Also at the root of the server.' })
  @ApiOkResponse({ type: [DeviceAnswer] })
  list(@CurrentCaller() caller: Caller): Promise<DeviceAnswer[]> {
    return this.devices.list(caller.accountId).then((rows) => rows.map((device) => this.answers.answer(device)));
  }

  @Get('keys')
  @ApiOperation({
    summary: 'List your devices with their public keys',
    description: 'The same as `GET /devices/` with a slash at its end, also at the root of the server.',
  })
  @ApiOkResponse({ type: [DeviceKeyAnswer] })
  keys(@CurrentCaller() caller: Caller): Promise<DeviceKeyAnswer[]> {
    return this.devices.list(caller.accountId).then((rows) => rows.map((device) => this.answers.key(device)));
  }

  @Post('challenge')
  @HttpCode(200)
  @RateLimited('change_device')
  @ApiOperation({ summary: 'Ask for what a device signs to prove its key', description: 'Also at the root.' })
  @ApiOkResponse({ type: ChallengeAnswer })
  @Problems('validation_failed')
  challenge(@CurrentCaller() caller: Caller, @Body() { device_id }: ChallengeRequest): Promise<ChallengeAnswer> {
    return this.devices
      .challenge(caller, device_id)
      .then((challenge) => ({ device_id, challenge, context: REGISTER_CONTEXT, expires_in: CHALLENGE_SECONDS }));
  }

  @Post('register')
  @RateLimited('change_device')
  @ApiOperation({
    summary: 'Register a device under an id of its own, or give it a new key',
    description:
      'Also at the root of the server. With challenge and signature the key is proved: the device then has to prove it ' +
      'whenever it connects, and only another key that is proved can take its place. Repetition changes nothing.',
  })
  @ApiCreatedResponse({ type: DeviceKeyAnswer })
  @Problems('validation_failed', 'invalid_proof', 'unknown_device_type', 'forbidden', 'not_found', 'too_many_devices')
  register(@CurrentCaller() caller: Caller, @Body() request: RegisterDeviceRequest): Promise<DeviceKeyAnswer> {
    return this.devices.register(caller, request).then((device) => this.answers.key(device));
  }

  @Patch(':id')
  @RateLimited('change_device')
  @ApiOperation({ summary: 'Rename a device' })
  @ApiOkResponse({ type: DeviceAnswer })
  @Problems('validation_failed', 'not_found')
  rename(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body() { name }: RenameDeviceRequest,
  ): Promise<DeviceAnswer> {
    return this.devices.rename(caller, id, name).then((device) => this.answers.answer(device));
  }

  @Delete(':id')
  @RateLimited('change_device')
  @ApiOperation({
    summary: 'Revoke a device',
    description:
      'Its sessions end with their streams, registrations and pushes, and its WebSockets close within five seconds.',
  })
  @OkOrAccepted(DeviceEndAnswer)
  @Problems('not_found')
  async revoke(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DeviceEndAnswer> {
    const ended = await this.devices.revoke(caller, id);
    reply.status(ended ? 200 : 202);
    return { status: ended ? 'revoked' : 'revoking' };
  }
}
