import { Module } from '@nestjs/common';
import { XmppComponent, XmppComponentClient } from './xmpp-component.client.js';

@Module({ providers: [{ provide: XmppComponent, useClass: XmppComponentClient }], exports: [XmppComponent] })
export class XmppComponentModule {}
