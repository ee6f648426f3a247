/** What runs in the page: a WebRTC app as a developer builds it on /signal. Its microphone plays a pure tone. */

export interface SignalingOptions {
  /** Of the signalling server. */
  url: string;
  token: string;
  deviceId: string;
  toneHertz: number;
}

/** How the two are connected. */
export interface PathReport {
  candidate: string;
  remoteCandidate: string;
  packetsReceived: number;
}

interface Received {
  type: string;
  sender_device_id: string;
  payload: RTCSessionDescriptionInit & RTCIceCandidateInit;
  ice_servers: RTCIceServer[];
}

const FFT_SIZE = 8192;
const SILENCE_DECIBELS = -60;

class SignalingPeer {
  private readonly audio = new AudioContext();
  private readonly microphone = this.audio.createMediaStreamDestination();
  private readonly analyser = new AnalyserNode(this.audio, { fftSize: FFT_SIZE });
  private readonly speaker = new Audio();
  private readonly socket: WebSocket;
  private readonly texts: string[] = [];
  private connection!: RTCPeerConnection;
  private channel?: RTCDataChannel;
  private other = '';
  /** What came is worked on one after the other: a candidate needs the description before it. */
  private working = Promise.resolve();

  constructor(private readonly options: SignalingOptions) {
    const tone = new OscillatorNode(this.audio, { frequency: options.toneHertz });
    tone.connect(this.microphone);
    tone.start();
    this.socket = new WebSocket(options.url);
  }

  /** Resolves when the server has let the device in: by a first frame, as no header can be set in a page. */
  async connect(): Promise<void> {
    const { token, deviceId } = this.options;
    this.socket.onopen = () => this.socket.send(JSON.stringify({ type: 'auth', token, device_id: deviceId }));
    const servers = await new Promise<RTCIceServer[]>((resolve) => {
      this.socket.onmessage = ({ data }) => {
        const frame: Received = JSON.parse(data);
        if (frame.type === 'connected') resolve(frame.ice_servers);
        else this.working = this.working.then(() => this.take(frame));
      };
    });
    this.connection = new RTCPeerConnection({ iceServers: servers, iceTransportPolicy: 'relay' });
    this.connection.addTrack(this.microphone.stream.getAudioTracks()[0]!, this.microphone.stream);
    this.connection.onicecandidate = ({ candidate }) => candidate && this.signal('ice-candidate', candidate.toJSON());
    this.connection.ontrack = ({ streams: [stream] }) => this.listen(stream!);
    this.connection.ondatachannel = ({ channel }) => this.use(channel);
  }

  async call(deviceId: string): Promise<void> {
    this.other = deviceId;
    this.use(this.connection.createDataChannel('texts'));
    await this.connection.setLocalDescription();
    this.signal('offer', this.connection.localDescription!.toJSON());
  }

  /** Sends a text through the data channel, once that is open. */
  say(text: string): boolean {
    if (this.channel?.readyState !== 'open') return false;
    this.channel.send(text);
    return true;
  }

  heard(): string[] {
    return this.texts;
  }

  async report(): Promise<PathReport> {
    const entries = [...(await this.connection.getStats()).values()];
    const transport = entries.find(({ type }) => type === 'transport');
    const pair = entries.find(({ id }) => id === transport?.selectedCandidatePairId);
    const typeOf = (candidateId: string) => String(entries.find(({ id }) => id === candidateId)?.candidateType);
    return {
      candidate: typeOf(pair?.localCandidateId),
      remoteCandidate: typeOf(pair?.remoteCandidateId),
      packetsReceived: Number(entries.find(({ type }) => type === 'inbound-rtp')?.packetsReceived ?? 0),
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

  private signal(type: string, payload: object): void {
    this.socket.send(JSON.stringify({ type, target_device_id: this.other, payload }));
  }

  private async take({ type, sender_device_id: sender, payload }: Received): Promise<void> {
    if (type === 'ice-candidate') await this.connection.addIceCandidate(payload);
    if (type === 'answer') await this.connection.setRemoteDescription(payload);
    if (type !== 'offer') return;
    this.other = sender;
    await this.connection.setRemoteDescription(payload);
    await this.connection.setLocalDescription();
    this.signal('answer', this.connection.localDescription!.toJSON());
  }

  private use(channel: RTCDataChannel): void {
    this.channel = channel;
    channel.onmessage = ({ data }) => this.texts.push(data);
  }

  /** Chromium decodes what comes in only while an element plays it. */
  private listen(stream: MediaStream): void {
    this.speaker.srcObject = stream;
    void this.speaker.play();
    this.audio.createMediaStreamSource(stream).connect(this.analyser);
  }
}

declare global {
  interface Window {
    SignalingPeer: typeof SignalingPeer;
    peer: SignalingPeer;
  }
}

window.SignalingPeer = SignalingPeer;
