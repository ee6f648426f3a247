import { randomBytes } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import supertest from 'supertest';
import { createApp } from '../app.js';
import { AppModule } from '../app.module.js';
import { ChatData } from '../clients/ejabberd/chat-data.client.js';
import { FakeChatData } from '../clients/ejabberd/chat-data.fake.js';
import { Ejabberd } from '../clients/ejabberd/ejabberd.client.js';
import { FakeEjabberd } from '../clients/ejabberd/ejabberd.fake.js';
import { Kamailio } from '../clients/kamailio/kamailio.client.js';
import { FakeKamailio } from '../clients/kamailio/kamailio.fake.js';
import { XmppComponent } from '../clients/xmpp-component/xmpp-component.client.js';
import { FakeXmppComponent } from '../clients/xmpp-component/xmpp-component.fake.js';
import { Clock } from '../common/clock.js';
import { loadConfig } from '../config/config.js';
import type { HttpLimits } from '../config/http.config.js';
import { AccountRemoval } from '../features/account/account-removal.js';
import { testEnvironment } from './config.js';
import { createTestDatabase, type TestDatabase } from './database.js';

/** The application of main.ts on a database of its own, with a chat server and a SIP server in memory. */
export class TestApp {
  readonly ejabberd = new FakeEjabberd();
  readonly chatData = new FakeChatData();
  readonly kamailio = new FakeKamailio();
  readonly xmppComponent = new FakeXmppComponent(`push.${testEnvironment.XMPP_DOMAIN}`);
  private constructor(
    readonly database: TestDatabase,
    private nest: NestFastifyApplication | undefined = undefined,
  ) {}

  /**
   * @param limits shorter than in earnest, where a test waits for them
   * @param clock one that the test moves, for all of the application
   */
  static async start(
    changes: NodeJS.ProcessEnv = {},
    limits: Partial<HttpLimits> = {},
    clock: Clock = new Clock(),
  ): Promise<TestApp> {
    const app = new TestApp(await createTestDatabase());
    await app.boot(changes, limits, clock);
    return app;
  }

  get http() {
    return supertest(this.app.getHttpServer());
  }

  get app(): NestFastifyApplication {
    if (!this.nest) throw new Error('the application is not running');
    return this.nest;
  }

  async stop(): Promise<void> {
    await this.nest?.close();
    await this.database.drop();
  }

  /** Ends the application and starts it again, with other settings, on the same database. */
  async restart(changes: NodeJS.ProcessEnv, clock = new Clock()): Promise<void> {
    await this.nest?.close();
    await this.boot(changes, {}, clock);
  }

  /** Registers a fresh account and gives its name, password, JID and token. */
  async register(prefix = 'user') {
    const username = `${prefix}_${randomBytes(4).toString('hex')}`;
    const password = randomBytes(9).toString('base64url');
    const answer = await this.http.post('/api/v1/account/register').send({ username, password });
    if (answer.status !== 201) throw new Error(`register answered ${answer.status}: ${answer.text}`);
    const { jid, token } = answer.body as { jid: string; token: string };
    const id = await this.accountId(username);
    return { username, password, jid, token, id, bearer: { authorization: `Bearer ${token}` } };
  }

  /** The id of an account within the platform. */
  async accountId(username: string): Promise<string> {
    const [row] = await this.database.sql`SELECT id FROM accounts WHERE username = ${username}`;
    return row?.id;
  }

  /** What the reaper would do once every lease has run out. The application's own may be at it at the same time. */
  async finishRemovals(): Promise<void> {
    const { sql } = this.database;
    const deadline = performance.now() + 10_000;
    for (let failure: unknown; ; ) {
      await sql`UPDATE accounts SET lease_until = now() - interval '1 hour' WHERE status IN ('pending', 'deleting')`;
      await this.app.get(AccountRemoval).finishLeftovers(100, (error) => {
        failure = error;
      });
      const left = await sql`SELECT FROM accounts WHERE status IN ('pending', 'deleting')`;
      if (left.length === 0) return;
      if (performance.now() > deadline) throw failure;
    }
  }

  private async boot(changes: NodeJS.ProcessEnv, limits: Partial<HttpLimits> = {}, clock = new Clock()): Promise<void> {
    const environment = {
      ...testEnvironment,
      RATE_LIMIT_FACTOR: '1000',
      // Where nobody listens, whatever else runs on this machine.
      TURN_PORT: '1',
      RTPENGINE_NG_PORT: '1',
      NEIGHBOUR_TIMEOUT_MS: '1000',
      ...this.database.environment,
      ...changes,
    };
    const settings = loadConfig(environment);
    Object.assign(settings.http.limits, limits);
    this.nest = await createApp(settings, async (config, adapter) => {
      const module = await Test.createTestingModule({ imports: [AppModule.with(config)] })
        .overrideProvider(Ejabberd)
        .useValue(this.ejabberd)
        .overrideProvider(ChatData)
        .useValue(this.chatData)
        .overrideProvider(XmppComponent)
        .useValue(this.xmppComponent)
        .overrideProvider(Clock)
        .useValue(clock)
        .overrideProvider(Kamailio)
        .useValue(this.kamailio)
        .compile();
      return module.createNestApplication<NestFastifyApplication>(adapter, { bodyParser: false, logger: false });
    });
    await this.nest.init();
    await this.nest.getHttpAdapter().getInstance().ready();
  }
}
