import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Metrics } from '../../common/metrics.js';
import { NeighbourTimes } from '../../common/neighbour-times.js';
import { testConfig } from '../../testing/config.js';
import { TestMailServer } from '../../testing/smtp.js';
import { Mailer, MailRefused } from './smtp.client.js';

const mail = { to: 'alice@example.org', subject: 'Your code', text: 'The code is 12345.\n' };

describe('the mailer', () => {
  let server: TestMailServer | undefined;
  afterEach(async () => {
    await server?.stop();
    server = undefined;
  });

  const mailer = (settings: NodeJS.ProcessEnv): Mailer =>
    new Mailer(testConfig({ NEIGHBOUR_TIMEOUT_MS: '500', ...settings }), new NeighbourTimes(new Metrics()));

  const failure = async (settings: NodeJS.ProcessEnv, sent = mail): Promise<Error> => {
    const error = await mailer(settings)
      .send(sent)
      .then(
        () => null,
        (thrown: unknown) => thrown,
      );
    if (!(error instanceof Error)) throw new Error('the mail was sent');
    expect(error.message).not.toMatch(/alice|sesame/);
    return error;
  };

  it.each(['starttls', 'tls'] as const)(
    'sends over %s, logged in, to a server that it can verify',
    async (security) => {
      server = await TestMailServer.start(security);
      await mailer(server.environment).send(mail);
      expect(server.mails).toMatchObject([
        { from: 'no-reply@veil.test', to: ['alice@example.org'], secure: true, user: 'veil' },
      ]);
      const [received] = server.mails;
      expect(received?.raw).toContain('\r\n\r\nThe code is 12345.\r\n');
      expect(received?.raw).toContain('Auto-Submitted: auto-generated');
      expect(received?.raw).toMatch(/^From: "?veil.test"? <no-reply@veil.test>\r$/m);
    },
  );

  it.each(['starttls', 'tls'] as const)(
    'sends nothing over %s to a server that it can not verify',
    async (security) => {
      server = await TestMailServer.start(security);
      await failure({ ...server.environment, SMTP_CA_FILE: '' });
      expect(server.mails).toEqual([]);
    },
  );

  it('sends nothing in clear when it is to use TLS', async () => {
    server = await TestMailServer.start('none');
    await failure({ ...server.environment, SMTP_SECURITY: 'starttls' });
    await failure({ ...server.environment, SMTP_SECURITY: 'tls' });
    expect(server.mails).toEqual([]);
  });

  it('may succeed later with another password', async () => {
    server = await TestMailServer.start('tls');
    expect(await failure({ ...server.environment, SMTP_PASSWORD: 'wrong' })).not.toBeInstanceOf(MailRefused);
  });

  it('needs neither TLS nor a login on loopback', async () => {
    server = await TestMailServer.start('none');
    await mailer(server.environment).send(mail);
    expect(server.mails).toMatchObject([{ secure: false, to: ['alice@example.org'] }]);
  });

  it.each([
    ['connect', 421, false],
    ['from', 451, false],
    ['from', 550, false],
    ['to', 450, false],
    ['to', 550, true],
    ['data', 452, false],
    ['data', 554, true],
    ['to', 'cut', false],
    ['data', 'cut', false],
  ] as const)('tells at %s, %s, whether another attempt is of use', async (step, status, refused) => {
    server = await TestMailServer.start('none');
    server.failNext(step, status);
    expect((await failure(server.environment)) instanceof MailRefused).toBe(refused);
    expect(server.mails).toHaveLength(status === 'cut' && step === 'data' ? 1 : 0);
    await mailer(server.environment).send(mail);
  });

  it('gives up on a server that is down, and on one that is silent', async () => {
    server = await TestMailServer.start('none');
    const { environment } = server;
    await server.down();
    expect(await failure(environment)).not.toBeInstanceOf(MailRefused);
    const silent: Server = createServer((socket) => void socket.on('error', () => {}).resume());
    await new Promise<void>((resolve) => silent.listen(Number(environment.SMTP_PORT), '127.0.0.1', resolve));
    expect(await failure(environment)).not.toBeInstanceOf(MailRefused);
    await new Promise((resolve) => silent.close(resolve));
  });

  it.each([
    'alice@example.org\r\nRCPT TO:<mallory@example.org>',
    'alice@example.org>\r\nBcc: mallory@example.org',
    'alice@example.org, mallory@example.org',
    'mallory@example.org <alice@example.org>',
    '"alice\r\nBcc: mallory@example.org"@example.org',
  ])('reaches nobody else by the address %j', async (to) => {
    server = await TestMailServer.start('none');
    await mailer(server.environment)
      .send({ ...mail, to, subject: 'Your code\r\nBcc: mallory@example.org' })
      .catch(() => {});
    for (const { to: recipients, raw } of server.mails) {
      expect(recipients).not.toContain('mallory@example.org');
      expect(raw).not.toMatch(/^(bcc|cc):/im);
    }
  });

  it('is off without a server', () => {
    expect(mailer({}).enabled).toBe(false);
    expect(() => mailer({}).requireEnabled()).toThrow(expect.objectContaining({ code: 'mail_off' }));
  });
});
