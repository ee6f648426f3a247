import { describe, expect, it } from '@jest/globals';
import { deploymentOf, hostsOf, portOf, readServerInfo } from './deployment.js';

const ANSWER = {
  xmpp_domain: 'example.com',
  xmpp_host: 'chat.example.com',
  xmpp_port_tls: 5223,
  xmpp_port_starttls: 5222,
  xmpp_ws_url: 'wss://chat.example.com/ws',
  sip_domain: 'example.com',
  sip_host: 'sip.example.com',
  sip_port_tls: 5061,
  sip_ws_url: 'wss://sip.example.com:8089',
  turn_server: 'turn.example.com:3478',
  turn_server_tls: 'turn.example.com:5349',
  http_upload_host: 'files.example.com',
  server_version: '1.0.0',
  min_client_version: '1.0.0',
};

it('is what /server/info tells; ports that it does not tell are unknown', () => {
  const deployment = deploymentOf('https://api.example.com', readServerInfo(ANSWER));
  expect(deployment.turn).toEqual({ host: 'turn.example.com', port: 3478 });
  expect(deployment.sip.port).toBeUndefined();
  expect(hostsOf(deployment).sort()).toEqual(
    ['api', 'chat', 'files', 'sip', 'turn'].map((name) => `${name}.example.com`),
  );
});

it.each([
  ['https://api.example.com', 443],
  ['wss://chat.example.com/ws', 443],
  ['http://127.0.0.1:8443', 8443],
])('finds the port of %s', (url, port) => expect(portOf(url)).toBe(port));

describe('an answer that is none', () => {
  it.each([
    [{ ...ANSWER, xmpp_ws_url: 'ws://chat.example.com/ws' }, 'xmpp_ws_url'],
    [{ ...ANSWER, turn_server: 'turn.example.com' }, 'turn_server'],
    [{ ...ANSWER, sip_port_tls: '5061' }, 'sip_port_tls'],
    [{ ...ANSWER, http_upload_host: 'files.example.com/../x' }, 'http_upload_host'],
    ['<html>', 'xmpp_domain'],
    [null, 'xmpp_domain'],
  ])('%j names what is missing', (answer, field) => {
    expect(() => readServerInfo(answer)).toThrow(field);
  });
});
