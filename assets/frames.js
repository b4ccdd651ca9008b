// A frame as it comes over the stream: u64 sequence number, then a safetensors blob (u64 header length, JSON header, arrays).

const ARRAYS = { I16: Int16Array, U8: Uint8Array, F32: Float32Array, I32: Int32Array, F64: Float64Array };

// Decode a frame into {seq, meta, arrays: {name: {shape, data}}}. The arrays are views: nothing is copied.
export function decodeFrame(buffer) {
  const seq = Number(new DataView(buffer).getBigUint64(0, true));
  return { seq, ...decodeSafetensors(buffer, 8) };
}

export function decodeSafetensors(buffer, start = 0) {
  const length = Number(new DataView(buffer).getBigUint64(start, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, start + 8, length)));
  const origin = start + 8 + length;
  const arrays = {};
  let meta = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") {
      meta = JSON.parse(entry.meta ?? "{}");
      continue;
    }
    const Kind = ARRAYS[entry.dtype];
    if (!Kind) throw new Error(`The frame's array ${name} has the unknown type ${entry.dtype}.`);
    const [from, to] = entry.data_offsets;
    const count = (to - from) / Kind.BYTES_PER_ELEMENT;
    const aligned = (origin + from) % Kind.BYTES_PER_ELEMENT === 0;
    const data = aligned
      ? new Kind(buffer, origin + from, count)
      : new Kind(buffer.slice(origin + from, origin + to));
    arrays[name] = { shape: entry.shape, data };
  }
  return { meta, arrays };
}

// The fallback's frames: the same bytes as base64 text.
export function fromBase64(text) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes.buffer;
}
