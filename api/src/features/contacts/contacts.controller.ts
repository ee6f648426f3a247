import { Controller, Delete, Get, Param, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Caller, CurrentCaller, RateLimited } from '../../http/access.js';
import { Problems } from '../../http/openapi.js';
import { ContactAnswer, ContactEndAnswer, ContactsAnswer } from './contacts.dto.js';
import { ContactsService } from './contacts.service.js';

@ApiTags('contacts')
@ApiBearerAuth()
@Problems('unauthenticated')
@Controller('contacts')
export class ContactsController {
  constructor(private readonly contacts: ContactsService) {}

  @Get()
  @ApiOperation({ summary: 'List accounts whose devices may reach yours, or that ask for it' })
  @ApiOkResponse({ type: ContactsAnswer })
  list(@CurrentCaller() caller: Caller): Promise<ContactsAnswer> {
    return this.contacts.list(caller).then((contacts) => ({ contacts }));
  }

  @Put(':jid')
  @RateLimited('change_contact')
  @ApiOperation({
    summary: "Let an account's devices reach yours by signalling",
    description: 'It takes both: until the other account lets yours too, neither reaches the other.',
  })
  @ApiOkResponse({ type: ContactAnswer })
  @Problems('validation_failed', 'not_found', 'too_many_contacts')
  allow(@CurrentCaller() caller: Caller, @Param('jid') jid: string): Promise<ContactAnswer> {
    return this.contacts.allow(caller, jid);
  }

  @Delete(':jid')
  @RateLimited('change_contact')
  @ApiOperation({ summary: 'Let it no more: from now on neither reaches the other' })
  @ApiOkResponse({ type: ContactEndAnswer })
  @Problems('not_found')
  withdraw(@CurrentCaller() caller: Caller, @Param('jid') jid: string): Promise<ContactEndAnswer> {
    return this.contacts.withdraw(caller, jid).then(() => ({ status: 'withdrawn' }));
  }
}
