import { describe, expect, it } from '@jest/globals';
import type { Frame } from '../../realtime/protocol.js';
import { forwarded, lifetimeOf, type Role, readFrame } from './relay-frame.js';

const SMS = { type: 'command', cmd: 'SEND_SMS', sim: 1, to: '+886912345678', body: 'Hi\nthere', req_id: 'r1' };

const read = (fields: object, from: Role = 'client') => readFrame(fields as Frame, from);

describe('a frame of the relay', () => {
  it.each([
    ['client', SMS, 'SEND_SMS'],
    ['client', { type: 'command', cmd: 'MAKE_CALL', sim: 2, to: '110', req_id: 'r' }, 'MAKE_CALL'],
    ['client', { type: 'command', cmd: 'MAKE_CALL', to: '110' }, 'MAKE_CALL'],
    ['client', { type: 'command', cmd: 'HANG_UP', req_id: 'r' }, 'HANG_UP'],
    ['client', { type: 'command', cmd: 'GET_SIMS', req_id: 'r' }, 'GET_SIMS'],
    ['client', { type: 'webrtc', action: 'offer', sdp: 'v=0', req_id: 'r' }, 'offer'],
    ['host', { type: 'webrtc', action: 'ice', candidate: 'c', sdpMid: '0', sdpMLineIndex: 0 }, 'ice'],
    ['host', { type: 'webrtc', action: 'error', body: 'no microphone', req_id: 'r' }, 'error'],
    ['host', { type: 'event', event: 'SMS_SENT', status: 'ok', req_id: 'r' }, 'SMS_SENT'],
    ['host', { type: 'event', event: 'INCOMING_SMS', sim: 1, from: '+1', body: 'x' }, 'INCOMING_SMS'],
    ['host', { type: 'event', event: 'WHATEVER_COMES_NEXT' }, 'WHATEVER_COMES_NEXT'],
  ] as const)('of a %s may be %j', (from, fields, kind) => {
    expect(read(fields, from)).toMatchObject({ type: fields.type, kind, fields });
  });

  it.each([
    [{}, 'invalid message type: none'],
    [{ type: 'foo' }, 'invalid message type: foo'],
    [{ type: { toString: 1 } }, 'invalid message type: {"toString":1}'],
    [{ type: 'x'.repeat(1000) }, `invalid message type: ${'x'.repeat(64)}`],
    [{ type: 'event', event: 'SMS_SENT' }, 'invalid message type: event'],
    [{ type: 'command' }, 'invalid cmd: none'],
    [{ type: 'command', cmd: 'constructor' }, 'invalid cmd: constructor'],
    [{ type: 'command', cmd: '__proto__' }, 'invalid cmd: __proto__'],
    [{ ...SMS, to: undefined }, 'invalid to'],
    [{ ...SMS, to: '1'.repeat(31) }, 'invalid to'],
    [{ ...SMS, to: '110\r\nATH' }, 'invalid to'],
    [{ ...SMS, to: 110 }, 'invalid to'],
    [{ ...SMS, sim: 3 }, 'invalid sim'],
    [{ ...SMS, sim: '1' }, 'invalid sim'],
    [{ ...SMS, body: '' }, 'invalid body'],
    [{ ...SMS, body: 'x'.repeat(1601) }, 'invalid body'],
    [{ ...SMS, body: '\ud800' }, 'invalid body'],
    [{ ...SMS, body: 'a\0b' }, 'invalid body'],
    [{ ...SMS, req_id: 7 }, 'invalid req_id'],
    [{ ...SMS, req_id: 'x'.repeat(129) }, 'invalid req_id'],
    [{ ...SMS, to_device_id: {} }, 'invalid to_device_id'],
    [{ ...SMS, to_device_id: -1 }, 'invalid to_device_id'],
    [{ type: 'webrtc', action: 'hello' }, 'invalid action: hello'],
    [{ type: 'webrtc', action: 'offer' }, 'invalid sdp'],
    [{ type: 'webrtc', action: 'ice' }, 'invalid candidate'],
    [JSON.parse('{"type":"command","cmd":"HANG_UP","__proto__":{"x":1}}'), 'invalid field: __proto__'],
  ])('of a client can’t be %j', (fields, error) => {
    expect(read(fields)).toMatchObject({ type: 'refused', answer: { error } });
  });

  it.each([{ type: 'command', cmd: 'HANG_UP' }, { type: 'event', event: 'lower' }, { type: 'event' }, { type: 'ack' }])(
    'of a host can’t be %j',
    (fields) => {
      expect(read(fields, 'host').type).toBe('refused');
    },
  );

  it('may have a text of 1600 characters, of whatever script', () => {
    expect(read({ ...SMS, body: '😀'.repeat(1600) }).type).toBe('command');
    expect(read({ ...SMS, body: '😀'.repeat(1601) }).type).toBe('refused');
  });

  it('is of 16 KiB at most where it is kept', () => {
    const event = { type: 'event', event: 'SIM_INFO' } as Frame;
    expect(readFrame(event, 'host', 16 * 1024).type).toBe('event');
    expect(readFrame(event, 'host', 16 * 1024 + 1)).toEqual({ type: 'refused', answer: { error: 'too large' } });
    expect(readFrame({ type: 'webrtc', action: 'offer', sdp: 'v=0' }, 'host', 60_000).type).toBe('webrtc');
  });

  it('tells which frame an error is about', () => {
    expect(read({ ...SMS, to: '' })).toEqual({ type: 'refused', answer: { error: 'invalid to', req_id: 'r1' } });
  });

  it('is for a device that is named as number or text, or for none', () => {
    const targets = [7, '7', 'phone', 0, null, '', undefined].map((to_device_id) => read({ ...SMS, to_device_id }));
    expect(targets.map((frame) => 'to' in frame && frame.to)).toEqual(['7', '7', 'phone', null, null, null, null]);
  });

  it('says on its way from whom it is, whatever it said itself', () => {
    expect(JSON.parse(forwarded({ ...SMS, from_device_id: 99 }, '7'))).toEqual({ ...SMS, from_device_id: 7 });
  });

  it('waits as long as what it is about makes sense', () => {
    const kinds = ['MAKE_CALL', 'HANG_UP', 'GET_SIMS', 'SEND_SMS', 'INCOMING_SMS', 'CALL_STATE', 'toString', 'NEW'];
    expect(kinds.map(lifetimeOf)).toEqual(['call', 'hangUp', 'query', 'sms', 'sms', 'call', 'query', 'query']);
  });
});
