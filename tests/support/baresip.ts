import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { toneStrength, writeTone } from './baresip-audio.js';
import { BaresipControl, type BaresipEvent, freePort } from './baresip-control.js';
import { platform } from './platform.js';
import { addressOf, type Credentials } from './sip-client.js';
import { until } from './wait.js';

export interface PhoneOptions {
  transport?: 'udp' | 'tcp' | 'tls';
  /** The tone that this phone says all the time. */
  toneHertz?: number;
  mediaEncryption?: 'srtp-mand' | 'dtls_srtp';
}

/** RTP packets of one phone in the call that ended last. */
export interface RtpCounters {
  sent: number;
  received: number;
}

const CALL_SECONDS = 20;

/** A real SIP phone: baresip with a WAV file for a microphone, which records what it hears. */
export class Baresip {
  private output = '';

  private constructor(
    readonly credentials: Credentials,
    private readonly directory: string,
    private readonly process: ChildProcess,
    private readonly control: BaresipControl,
  ) {
    process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
    });
  }

  /** Starts a phone and waits until it is registered. */
  static async start(credentials: Credentials, options: PhoneOptions = {}): Promise<Baresip> {
    const phone = await Baresip.launch(credentials, options);
    try {
      const status = await phone.registration();
      if (status !== 200) throw new Error(`the registration of ${credentials.username} was answered ${status}`);
      return phone;
    } catch (error) {
      await phone.stop();
      throw error;
    }
  }

  /** Starts a phone, whatever becomes of its registration. */
  static async launch(credentials: Credentials, options: PhoneOptions = {}): Promise<Baresip> {
    const directory = mkdtempSync(path.join(tmpdir(), 'baresip-'));
    const [controlPort, sipPort] = [await freePort(), await freePort()];
    writeTone(path.join(directory, 'tone.wav'), options.toneHertz ?? 440, CALL_SECONDS);
    writeFileSync(path.join(directory, 'config'), configuration(directory, sipPort, controlPort));
    writeFileSync(path.join(directory, 'accounts'), account(credentials, options));
    writeFileSync(path.join(directory, 'contacts'), '');
    const process = spawn('baresip', ['-4', '-f', directory], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      return new Baresip(credentials, directory, process, await BaresipControl.connect(controlPort));
    } catch (error) {
      process.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  get address(): string {
    return addressOf(this.credentials.username);
  }

  /** The status that answered the phone's REGISTER; it is printed, for it may precede the control connection. */
  async registration(): Promise<number> {
    const answer = / (\d{3}) [A-Z].*\(.*\)/;
    const [, status] = await until(`${this.credentials.username}'s phone has registered`, () =>
      answer.exec(this.output),
    );
    return Number(status);
  }

  /** Waits until the phone rings; that is printed too, for a call may be there before the control connection. */
  async rings(): Promise<void> {
    await until(`${this.credentials.username}'s phone rings`, () => this.output.includes('Incoming call from'));
  }

  /** Waits for the next event of that type, and takes it. */
  async event(type: string, timeoutMs?: number): Promise<BaresipEvent> {
    const { events } = this.control;
    const event = await until(
      `${this.credentials.username}'s phone says ${type}`,
      () => events.find((one) => one.type === type),
      { timeoutMs },
    );
    events.splice(events.indexOf(event), 1);
    return event;
  }

  async dial(address: string): Promise<void> {
    await this.control.command('dial', address);
  }

  async answer(): Promise<void> {
    await this.control.command('accept');
  }

  async hangUp(): Promise<void> {
    await this.control.command('hangup');
  }

  /** The counters that baresip prints when a call ends. */
  async counters(): Promise<RtpCounters> {
    const counters = /^packets: +(\d+) +(\d+)/m;
    const [, sent, received] = await until(`${this.credentials.username}'s phone prints its counters`, () =>
      counters.exec(this.output),
    );
    return { sent: Number(sent), received: Number(received) };
  }

  /** How strong a tone is in what this phone heard. */
  heard(hertz: number): number {
    const recording = readdirSync(this.directory).find((file) => file.endsWith('-dec.wav'));
    return recording ? toneStrength(path.join(this.directory, recording), hertz) : 0;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGTERM');
    await ended;
    this.control.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function account({ username, password }: Credentials, { transport = 'udp', mediaEncryption }: PhoneOptions): string {
  const port = transport === 'tls' ? platform.ports.sipTls : platform.ports.sip;
  const parameters = [
    `<${addressOf(username)};transport=${transport}>`,
    `auth_user=${username}`,
    `auth_pass=${password}`,
    `outbound="sip:${platform.host}:${port};transport=${transport}"`,
    'regint=300',
    'audio_codecs=PCMU/8000/1',
    ...(mediaEncryption ? [`mediaenc=${mediaEncryption}`] : []),
  ];
  return `${parameters.join(';')}\n`;
}

const MODULES = ['g711', 'aufile', 'srtp', 'dtls_srtp', 'sndfile'];

const configuration = (directory: string, sipPort: number, controlPort: number): string => `
poll_method epoll
sip_listen ${platform.clientAddress}:${sipPort}
sip_cafile ${platform.certificateAuthorityFile}
sip_verify_server yes
call_local_timeout 120
call_max_calls 4
audio_path /usr/share/baresip
audio_player aufile,${directory}/unused.wav
audio_source aufile,${directory}/tone.wav
audio_alert none
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
audio_buffer 20-160
rtp_ports 50000-59998
rtcp_mux no
jitter_buffer_type fixed
jitter_buffer_delay 5-10
rtp_stats yes
module_path /usr/lib/baresip/modules
${MODULES.map((module) => `module ${module}.so`).join('\n')}
snd_path ${directory}
module_tmp uuid.so
module_tmp account.so
module_app contact.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:${controlPort}
`;
