import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium, type Page, type Browser as PlaywrightBrowser } from 'playwright-core';
import type { MediaReport, SoftphoneOptions } from './browser-softphone.js';
import { platform } from './platform.js';
import { addressOf, type Credentials } from './sip-client.js';
import { until } from './wait.js';

export interface BrowserOptions {
  /** Whether the browser trusts the platform's certificate authority. */
  trusting?: boolean;
  /** What its pages run, beside this file: a SIP phone unless it says otherwise. */
  script?: 'browser-softphone.js' | 'browser-signaling.js';
}

export type WebPhoneOptions = Partial<Pick<SoftphoneOptions, 'toneHertz' | 'iceServers' | 'iceTransportPolicy'>>;

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  // The machine of the tests may have no other network.
  '--allow-loopback-in-peer-connection',
];

/** Headless Chromium with a home of its own: its only certificate authority beyond the built-in ones is the platform's. */
export class Browser {
  private constructor(
    private readonly home: string,
    private readonly chromium: PlaywrightBrowser,
    private readonly server: Server,
  ) {}

  static async start({ trusting = true, script = 'browser-softphone.js' }: BrowserOptions = {}): Promise<Browser> {
    const home = mkdtempSync(path.join(tmpdir(), 'browser-'));
    if (trusting) trustPlatform(home);
    const page = await pageOf(script);
    const executablePath = execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim();
    const browser = await chromium.launch({ executablePath, args: FLAGS, env: { ...process.env, HOME: home } });
    return new Browser(home, browser, await servePage(page));
  }

  /** Opens a page with a SIP phone that is registered. */
  async phone(credentials: Credentials, options: WebPhoneOptions = {}): Promise<WebPhone> {
    const page = await this.page();
    await page.evaluate(
      (settings) => {
        window.softphone = new window.Softphone(settings);
        return window.softphone.register();
      },
      softphoneOptions(credentials, options),
    );
    return new WebPhone(credentials, page);
  }

  /** Opens a page with the script, which has done nothing yet. */
  async page(): Promise<Page> {
    const { port } = this.server.address() as AddressInfo;
    const context = await this.chromium.newContext({ permissions: ['microphone'] });
    const page = await context.newPage();
    // A page of localhost is a secure context, which WebRTC asks for.
    await page.goto(`http://127.0.0.1:${port}/`);
    return page;
  }

  async stop(): Promise<void> {
    await this.chromium.close();
    this.server.close();
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** The phone in one page. */
export class WebPhone {
  constructor(
    readonly credentials: Credentials,
    private readonly page: Page,
  ) {}

  get address(): string {
    return addressOf(this.credentials.username);
  }

  /** Calls, and resolves when the other side has answered. */
  async call(target: string): Promise<void> {
    await this.page.evaluate((address) => window.softphone.call(address), target);
  }

  /** Takes the call that comes in, and resolves with the caller's address. */
  answer(): Promise<string> {
    return this.page.evaluate(() => window.softphone.answer());
  }

  async hangUp(): Promise<void> {
    await this.page.evaluate(() => window.softphone.hangUp());
  }

  /** Resolves when the call is over, with who ended it. */
  ended(): Promise<string | undefined> {
    return this.page.evaluate(() => window.softphone.ended());
  }

  /** Waits until that many packets have gone each way, and resolves with what the browser tells of them. */
  exchanged(packets: number): Promise<MediaReport> {
    return until(`${packets} packets go both ways`, async () => {
      const report = await this.page.evaluate(() => window.softphone.report());
      return report.packetsSent >= packets && report.packetsReceived >= packets && report;
    });
  }

  /** Waits until this tone is what the other side says. */
  async hears(hertz: number): Promise<void> {
    await until(`${this.credentials.username}'s browser hears ${hertz} Hz`, async () => {
      const heard = await this.page.evaluate(() => window.softphone.loudestHertz());
      return Math.abs(heard - hertz) < 10;
    });
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}

const softphoneOptions = ({ username, password }: Credentials, options: WebPhoneOptions): SoftphoneOptions => ({
  server: `wss://${platform.host}:${platform.ports.sipWss}/`,
  address: addressOf(username),
  password,
  toneHertz: 440,
  iceServers: [],
  iceTransportPolicy: 'all',
  ...options,
});

/** Chromium on Linux asks the NSS database in the home directory which authorities to trust. */
function trustPlatform(home: string): void {
  const database = path.join(home, '.pki', 'nssdb');
  mkdirSync(database, { recursive: true });
  const certutil = (...args: string[]) => execFileSync('certutil', ['-d', `sql:${database}`, ...args]);
  certutil('-N', '--empty-password');
  certutil('-A', '-n', 'platform', '-t', 'C,,', '-i', platform.certificateAuthorityFile);
}

async function pageOf(script: string): Promise<string> {
  const entry = fileURLToPath(new URL(`./${script}`, import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: 'iife', write: false });
  return `<!doctype html><meta charset="utf-8"><title>Test</title><script>${outputFiles[0]!.text}</script>`;
}

function servePage(html: string): Promise<Server> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end(html);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
