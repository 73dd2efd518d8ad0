/** How samples are laid out: whole numbers of `bits` bits, little-endian, channels side by side. */
export interface PcmFormat {
  readonly sampleRate: number;
  readonly channels: number;
  readonly bits: number;
}

const HEADER_BYTES = 44;

/** Bare samples as a WAV file. Source: http://soundfile.sapp.org/doc/WaveFormat/ */
export function wavOf(samples: Uint8Array, format: PcmFormat): Uint8Array<ArrayBuffer> {
  const { sampleRate, channels, bits } = format;
  const file = new Uint8Array(HEADER_BYTES + samples.length);
  const view = new DataView(file.buffer);
  const blockBytes = (channels * bits) / 8;
  writeText(file, 0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + samples.length, true);
  writeText(file, 8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // whole numbers, uncompressed
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * blockBytes, true);
  view.setUint16(32, blockBytes, true);
  view.setUint16(34, bits, true);
  writeText(file, 36, "data");
  view.setUint32(40, samples.length, true);
  file.set(samples, HEADER_BYTES);
  return file;
}

function writeText(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
}
