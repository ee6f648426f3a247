import { UA, WebSocketInterface } from 'jssip';
import type { RTCSession } from 'jssip/lib/RTCSession.js';

/** What runs in the page: a SIP phone as a web client builds it with JsSIP. Its microphone plays a pure tone. */

export interface SoftphoneOptions {
  /** WebSocket URL of the SIP server. */
  server: string;
  address: string;
  password: string;
  toneHertz: number;
  iceServers: RTCIceServer[];
  iceTransportPolicy: RTCIceTransportPolicy;
}

/** What the browser counts, and how the media goes. */
export interface MediaReport {
  packetsSent: number;
  packetsReceived: number;
  packetsLost: number;
  /** State of the DTLS transport, and what it agreed on for SRTP. */
  dtls: string;
  srtpCipher: string;
  /** Our end of the path: `host`, or `relay` and how the relay is reached. */
  candidate: string;
  relayProtocol: string;
  /** The other end of the path. */
  remoteAddress: string;
  /** Profile of the other side's audio, e.g. `UDP/TLS/RTP/SAVPF`. */
  remoteProfile: string;
}

interface Outcome {
  cause?: string;
  response?: { status_code: number };
  message?: { status_code?: number };
}

const FFT_SIZE = 8192;
const SILENCE_DECIBELS = -60;

class Softphone {
  private readonly audio = new AudioContext();
  private readonly microphone = this.audio.createMediaStreamDestination();
  private readonly analyser = new AnalyserNode(this.audio, { fftSize: FFT_SIZE });
  private readonly speaker = new Audio();
  private readonly agent: UA;
  private readonly incoming: Promise<RTCSession>;
  private session?: RTCSession;
  private end?: Promise<string>;

  constructor(private readonly options: SoftphoneOptions) {
    const tone = new OscillatorNode(this.audio, { frequency: options.toneHertz });
    tone.connect(this.microphone);
    tone.start();
    this.agent = new UA({
      sockets: [new WebSocketInterface(options.server)],
      uri: options.address,
      password: options.password,
      session_timers: false,
    });
    this.incoming = new Promise((resolve) => {
      this.agent.on('newRTCSession', ({ session, originator }: { session: RTCSession; originator: string }) => {
        if (originator === 'remote') resolve(session);
      });
    });
  }

  async register(): Promise<void> {
    const registered = new Promise<void>((resolve, reject) => {
      this.agent.once('registered', () => resolve());
      this.agent.once('registrationFailed', (outcome: Outcome) => reject(failure('the registration', outcome)));
      this.agent.once('disconnected', () => reject(new Error('the connection failed')));
    });
    this.agent.start();
    await registered;
  }

  /** Resolves when the other side has answered. */
  async call(target: string): Promise<void> {
    const session = this.agent.call(target, { ...this.media(), eventHandlers: { icecandidate: this.hurry } });
    await this.established(session);
  }

  /** Waits for a call, takes it, and resolves with the caller's address. */
  async answer(): Promise<string> {
    const session = await this.incoming;
    const established = this.established(session);
    session.on('icecandidate', this.hurry);
    session.answer(this.media());
    await established;
    return session.remote_identity.uri.toString();
  }

  async hangUp(): Promise<void> {
    this.session?.terminate();
    await this.end;
  }

  /** Resolves when the call is over, with who ended it: `local` or `remote`. */
  async ended(): Promise<string | undefined> {
    return this.end;
  }

  async report(): Promise<MediaReport> {
    const connection = this.connection;
    const statistics = await connection.getStats();
    const entries: Record<string, unknown>[] = [];
    statistics.forEach((entry) => {
      entries.push(entry);
    });
    const of = (type: string): Record<string, unknown> => entries.find((entry) => entry.type === type) ?? {};
    const transport = of('transport');
    const pair = entries.find(({ id }) => id === transport.selectedCandidatePairId);
    const local = entries.find(({ id }) => id === pair?.localCandidateId);
    const remote = entries.find(({ id }) => id === pair?.remoteCandidateId);
    return {
      packetsSent: Number(of('outbound-rtp').packetsSent ?? 0),
      packetsReceived: Number(of('inbound-rtp').packetsReceived ?? 0),
      packetsLost: Number(of('inbound-rtp').packetsLost ?? 0),
      dtls: String(transport.dtlsState),
      srtpCipher: String(transport.srtpCipher ?? ''),
      candidate: String(local?.candidateType),
      relayProtocol: String(local?.relayProtocol ?? ''),
      remoteAddress: String(remote?.address),
      remoteProfile: /^m=audio \d+ (\S+)/m.exec(connection.remoteDescription?.sdp ?? '')?.[1] ?? '',
    };
  }

  /** The frequency that is loudest in what the other side says, or 0 when it is silent. */
  loudestHertz(): number {
    const spectrum = new Float32Array(this.analyser.frequencyBinCount);
    this.analyser.getFloatFrequencyData(spectrum);
    const loudest = spectrum.indexOf(Math.max(...spectrum));
    if (spectrum[loudest]! < SILENCE_DECIBELS) return 0;
    return (loudest * this.audio.sampleRate) / FFT_SIZE;
  }

  private get connection(): RTCPeerConnection {
    if (!this.session) throw new Error('there is no call');
    return this.session.connection;
  }

  private media() {
    const { iceServers, iceTransportPolicy } = this.options;
    return { mediaStream: this.microphone.stream, pcConfig: { iceServers, iceTransportPolicy } };
  }

  private async established(session: RTCSession): Promise<void> {
    this.session = session;
    this.end = new Promise((resolve) => {
      session.once('ended', ({ originator }: { originator: string }) => resolve(originator));
    });
    await new Promise<void>((resolve, reject) => {
      session.once('confirmed', () => resolve());
      session.once('failed', (outcome: Outcome) => reject(failure('the call', outcome)));
    });
    this.listen();
  }

  /** A relay that answers at one of its addresses will do: those that never answer hold the offer up for long. */
  private readonly hurry = ({ candidate, ready }: { candidate: RTCIceCandidate; ready: () => void }): void => {
    if (candidate.type === 'relay') ready();
  };

  /** Chromium decodes what comes in only while an element plays it. */
  private listen(): void {
    const tracks = this.connection.getReceivers().map(({ track }) => track);
    const stream = new MediaStream(tracks);
    this.speaker.srcObject = stream;
    void this.speaker.play();
    this.audio.createMediaStreamSource(stream).connect(this.analyser);
  }
}

function failure(what: string, { cause, response, message }: Outcome): Error {
  const status = response?.status_code ?? message?.status_code ?? 'no answer';
  return new Error(`${what} failed: ${cause} (${status})`);
}

declare global {
  interface Window {
    Softphone: typeof Softphone;
    softphone: Softphone;
  }
}

window.Softphone = Softphone;
