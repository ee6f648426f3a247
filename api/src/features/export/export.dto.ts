import { ApiProperty } from '@nestjs/swagger';
import { optionalText, optionalTime, time } from './export-fields.js';
import { ExportedDevice, ExportedDeviceContact } from './exported-devices.dto.js';
import { ExportedPairing, ExportedRelayMessage } from './exported-relay.dto.js';

export class ExportedAccountDocument {
  @ApiProperty({ format: 'uuid', description: 'By which the other servers know the account where no name belongs' })
  id!: string;

  @ApiProperty({ example: 'alice' })
  username!: string;

  @ApiProperty({ example: 'localhost' })
  domain!: string;

  @ApiProperty({ example: 'alice@localhost', description: 'The address for chat and calls' })
  jid!: string;

  @optionalText('The e-mail address that the account can log in with')
  email!: string | null;

  @optionalTime('When the address was proved; null: it was not')
  email_verified_at!: string | null;

  @optionalText('The Google account that opens this one, by its `sub`')
  google_sub!: string | null;

  @ApiProperty({ description: 'Whether somebody has set a password' })
  has_password!: boolean;

  @optionalTime('When the password was changed last')
  password_changed_at!: string | null;

  @time('When the account was made')
  created_at!: string;
}

export class ExportedSession {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ description: 'The device that is logged in' })
  device_id!: string;

  @optionalText('What its app calls the device')
  device_name!: string | null;

  @time('When the session was opened')
  created_at!: string;

  @time('When its tokens were last refreshed')
  last_used_at!: string;

  @time('When somebody last proved on it who he is')
  authenticated_at!: string;

  @time('When it ends unless it is refreshed')
  expires_at!: string;
}

export class ExportedPushRegistration {
  @ApiProperty()
  device_id!: string;

  @ApiProperty({ enum: ['ios', 'android', 'web'] })
  platform!: string;

  @ApiProperty({ description: 'The app that is woken' })
  app_id!: string;

  @ApiProperty({ description: 'The first 16 hexadecimal digits of the SHA-256 of the push token' })
  push_token_fingerprint!: string;

  @ApiProperty({ type: String, nullable: true, description: 'The same of the token for alerts' })
  alert_token_fingerprint!: string | null;

  @ApiProperty({ enum: ['production', 'sandbox'], description: 'Of iOS: which APNs gave the tokens' })
  environment!: string;

  @time('When the device was registered last')
  registered_at!: string;
}

export class ExportedGroup {
  @ApiProperty({ format: 'uuid' })
  group_id!: string;

  @ApiProperty({ description: "The group's room" })
  jid!: string;

  @ApiProperty()
  name!: string;

  @ApiProperty({ enum: ['owner', 'admin', 'member'] })
  role!: string;

  @time('When the account became a member')
  joined_at!: string;
}

export class ExportedSipRegistration {
  @ApiProperty({ description: 'Where the phone is reached' })
  contact!: string;

  @optionalText('Where its registration came from')
  received!: string | null;

  @ApiProperty({ description: 'What the phone says that it is' })
  user_agent!: string;

  @optionalText('The phone, as it names itself (RFC 5626)')
  instance!: string | null;

  @time('When it ends unless it is renewed')
  expires_at!: string;
}

export class ExportedCode {
  @ApiProperty({ enum: ['reset_password', 'verify_email'] })
  purpose!: string;

  @optionalText('The address that it was sent to')
  email!: string | null;

  @time('Until when it is good')
  expires_at!: string;
}

export class ExportedMail {
  @ApiProperty({ description: 'What the mail is about' })
  kind!: string;

  @ApiProperty({ description: 'The address that it goes, or went, to' })
  recipient!: string;

  @optionalTime('Null: it has not been sent yet')
  sent_at!: string | null;

  @time('When this is forgotten')
  expires_at!: string;
}

export class ExportedCallEvent {
  @ApiProperty({ description: 'What happened, as `GET /calls/{call_id}/trace` calls it' })
  kind!: string;

  @time('When it happened')
  at!: string;

  @optionalText('The own device concerned, if it is known')
  device_id!: string | null;

  @optionalText('Who pushed')
  provider!: string | null;

  @optionalText('What became of the push, or of the call')
  result!: string | null;

  @optionalText('The same in words')
  detail!: string | null;

  @ApiProperty({ type: Number, nullable: true, description: 'SIP status that ended the call' })
  status!: number | null;
}

export class ExportedCall {
  @ApiProperty({ description: 'Call-ID of the INVITE' })
  call_id!: string;

  @ApiProperty({ enum: ['incoming', 'outgoing'] })
  direction!: string;

  @optionalText('Username of the other party, or what was dialed; null: that account is gone')
  peer!: string | null;

  @ApiProperty({ enum: ['audio', 'video'] })
  type!: string;

  @time('When the call began')
  started_at!: string;

  @optionalTime('When it was answered')
  answered_at!: string | null;

  @optionalTime('When it was over')
  ended_at!: string | null;

  @optionalText('How it ended')
  outcome!: string | null;

  @ApiProperty({ type: [ExportedCallEvent] })
  events!: ExportedCallEvent[];
}

export class ExportedContact {
  @ApiProperty()
  jid!: string;

  @ApiProperty({ description: 'What the account calls the contact' })
  name!: string;

  @ApiProperty({ enum: ['none', 'to', 'from', 'both'], description: 'Who sees the presence of whom (RFC 6121)' })
  subscription!: string;

  @ApiProperty({ type: [String], description: 'Groups of the contact list' })
  groups!: string[];
}

export class ExportedPrivateData {
  @ApiProperty({ example: 'storage:bookmarks' })
  namespace!: string;

  @ApiProperty({ description: 'As the client stored it (XEP-0049)' })
  xml!: string;
}

export class ExportedChat {
  @ApiProperty({ type: [ExportedContact] })
  contacts!: ExportedContact[];

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    nullable: true,
    description: 'Fields of vcard-temp (XEP-0054) that have a value; null: there is no profile',
    example: { FN: 'Alice', 'N/FAMILY': 'Liddell' },
  })
  profile!: Record<string, string> | null;

  @ApiProperty({ type: [ExportedPrivateData] })
  private_data!: ExportedPrivateData[];

  @ApiProperty({ description: 'How many messages wait to be delivered' })
  waiting_messages!: number;
}

export class ExportOmission {
  @ApiProperty()
  what!: string;

  @ApiProperty({ description: 'Where it is' })
  kept!: string;

  @ApiProperty({ description: 'How it is to be had' })
  how!: string;
}

export class AccountExport {
  @ApiProperty({ enum: [1], description: 'Grows when a field goes or changes its meaning, not when one is added' })
  format!: 1;

  @time('When the export was asked for')
  generated_at!: string;

  @ApiProperty({ type: ExportedAccountDocument })
  account!: ExportedAccountDocument;

  @ApiProperty({ type: [ExportedSession] })
  sessions!: ExportedSession[];

  @ApiProperty({ type: [ExportedPushRegistration] })
  push_registrations!: ExportedPushRegistration[];

  @ApiProperty({ type: [ExportedDevice] })
  devices!: ExportedDevice[];

  @ApiProperty({ type: [ExportedDeviceContact], description: 'Accounts whose devices it lets reach its own' })
  contacts!: ExportedDeviceContact[];

  @ApiProperty({ type: [ExportedGroup] })
  groups!: ExportedGroup[];

  @ApiProperty({ type: [ExportedSipRegistration] })
  sip_registrations!: ExportedSipRegistration[];

  @ApiProperty({ type: [ExportedCall], description: 'Calls from and to the account' })
  calls!: ExportedCall[];

  @ApiProperty({ type: [ExportedPairing] })
  pairings!: ExportedPairing[];

  @ApiProperty({ type: [ExportedRelayMessage], description: 'Commands and events between its devices' })
  relay_messages!: ExportedRelayMessage[];

  @ApiProperty({ type: [ExportedMail], description: 'Mails that wait to be sent, and for an hour those that were' })
  mails!: ExportedMail[];

  @ApiProperty({ type: [ExportedCode], description: 'One-time codes that are good; only their hashes are kept' })
  one_time_codes!: ExportedCode[];

  @ApiProperty({ type: ExportedChat })
  chat!: ExportedChat;

  @ApiProperty({ type: [ExportOmission], description: 'What is kept and is not in here' })
  not_included!: ExportOmission[];
}
