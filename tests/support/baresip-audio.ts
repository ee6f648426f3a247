import { readFileSync, writeFileSync } from 'node:fs';

/** Tones that phones play to each other: which one arrived tells whose audio it was, and that it is audio. */

const SAMPLE_RATE = 8000;
const AMPLITUDE = 8000;
const HEADER_BYTES = 44;

/** Writes a mono 16-bit WAV file with a pure tone. */
export function writeTone(file: string, hertz: number, seconds: number): void {
  const samples = SAMPLE_RATE * seconds;
  const wav = Buffer.alloc(HEADER_BYTES + samples * 2);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(wav.length - 8, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(SAMPLE_RATE, 24);
  wav.writeUInt32LE(SAMPLE_RATE * 2, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(samples * 2, 40);
  for (let n = 0; n < samples; n += 1) {
    wav.writeInt16LE(Math.round(AMPLITUDE * Math.sin((2 * Math.PI * hertz * n) / SAMPLE_RATE)), HEADER_BYTES + 2 * n);
  }
  writeFileSync(file, wav);
}

/** How strong a tone is in a recording (Goertzel): about 0 when absent, about half the amplitude when present. */
export function toneStrength(file: string, hertz: number): number {
  const wav = readFileSync(file);
  const samples = Math.floor((wav.length - HEADER_BYTES) / 2);
  if (samples <= 0) return 0;
  const coefficient = 2 * Math.cos((2 * Math.PI * hertz) / SAMPLE_RATE);
  let [previous, beforePrevious] = [0, 0];
  for (let n = 0; n < samples; n += 1) {
    const current = wav.readInt16LE(HEADER_BYTES + 2 * n) + coefficient * previous - beforePrevious;
    [beforePrevious, previous] = [previous, current];
  }
  const power = previous ** 2 + beforePrevious ** 2 - coefficient * previous * beforePrevious;
  return Math.sqrt(power) / samples;
}
