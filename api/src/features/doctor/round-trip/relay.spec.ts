import { expect, it } from '@jest/globals';
import { targetOf } from './relay.js';

it.each([
  ['turn:turn.example.com:3478?transport=udp', { host: 'turn.example.com', port: 3478, transport: 'udp' }],
  ['turn:turn.example.com:3478', { host: 'turn.example.com', port: 3478, transport: 'udp' }],
  ['turn:turn.example.com:3478?transport=tcp', { host: 'turn.example.com', port: 3478, transport: 'tcp' }],
  ['turns:turn.example.com:5349?transport=tcp', { host: 'turn.example.com', port: 5349, transport: 'tls' }],
  ['turns:turn.example.com:5349', undefined],
  ['stun:turn.example.com:3478', undefined],
  ['https://turn.example.com', undefined],
])('reads %s', (uri, target) => expect(targetOf(uri)).toEqual(target));
