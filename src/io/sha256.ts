/** SHA-256, hexadecimal. */
export async function sha256(data: BufferSource): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Bytes that are digested at a time: the digest takes a copy. */
const PIECE = 2 ** 24;

/** A digest of numbers as they lie in memory, however many: of those above 16 MiB the SHA-256 of their pieces' digests. */
export async function fingerprint(data: ArrayBufferView<ArrayBuffer>): Promise<string> {
  const { buffer, byteOffset, byteLength } = data;
  const digests: string[] = [];
  for (let at = 0; at < byteLength; at += PIECE)
    digests.push(await sha256(new Uint8Array(buffer, byteOffset + at, Math.min(PIECE, byteLength - at))));
  return digests.length === 1 ? digests[0] : sha256(new TextEncoder().encode(digests.join('\n')));
}
