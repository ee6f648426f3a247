import { Body, Controller, Delete, Get, HttpCode, Ip, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { type Caller, CurrentCaller, RateLimited } from '../../http/access.js';
import { Counted } from '../../http/counted.js';
import { Problems } from '../../http/openapi.js';
import {
  ConfirmPairingAnswer,
  ConfirmPairingRequest,
  PairingCodeAnswer,
  PairingDocument,
  UnpairAnswer,
} from './pairing.dto.js';
import { PairingService } from './pairing.service.js';

@ApiTags('pairing')
@ApiBearerAuth()
@Controller()
export class PairingController {
  constructor(private readonly pairings: PairingService) {}

  @Post('pair')
  @HttpCode(200)
  @RateLimited('pairing_code')
  @ApiOperation({
    summary: 'A code by which a client is paired with this host',
    description:
      'Voids an older code of the host. After five wrong tries of the account none of its codes is worth anything.',
  })
  @ApiQuery({ name: 'host_device_id', description: 'One of your own hosts', example: 7 })
  @ApiOkResponse({ type: PairingCodeAnswer })
  @Problems('unauthenticated', 'not_found')
  issue(@CurrentCaller() caller: Caller, @Query('host_device_id') hostDeviceId?: string): Promise<PairingCodeAnswer> {
    return this.pairings.issue(caller, hostDeviceId);
  }

  @Post('pair/confirm')
  @HttpCode(200)
  @Counted('pairings')
  @ApiOperation({
    summary: 'Pair a client with the host whose code it was told',
    description: 'One answer for a code that is wrong, of another account, used or expired.',
  })
  @ApiOkResponse({ type: ConfirmPairingAnswer })
  @Problems('validation_failed', 'unauthenticated', 'invalid_code', 'not_found', 'rate_limited')
  confirm(
    @CurrentCaller() caller: Caller,
    @Body() request: ConfirmPairingRequest,
    @Ip() address: string,
  ): Promise<ConfirmPairingAnswer> {
    return this.pairings.confirm(caller, request, address);
  }

  @Get('pairings')
  @ApiOperation({ summary: 'Which of your clients are paired with which of your hosts' })
  @ApiOkResponse({ type: [PairingDocument] })
  @Problems('unauthenticated')
  list(@CurrentCaller() caller: Caller): Promise<PairingDocument[]> {
    return this.pairings.list(caller);
  }

  @Delete('pairings/:id')
  @ApiOperation({ summary: 'End a pairing: from now on neither device reaches the other' })
  @ApiOkResponse({ type: UnpairAnswer })
  @Problems('unauthenticated', 'not_found')
  remove(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<UnpairAnswer> {
    return this.pairings.remove(caller, id).then(() => ({ status: 'unpaired' }));
  }
}
