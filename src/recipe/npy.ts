/** NumPy's own files of arrays (numpy.lib.format, version 1.0): a header that says type and shape, and the numbers. */

/** @param type NumPy's, as `|u1` */
export function npyHeader(type: '|u1' | '<u2', shape: readonly number[]): Uint8Array<ArrayBuffer> {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const about = `{'descr': '${type}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // the numbers begin at a multiple of 64 bytes
  const start = Math.ceil((10 + about.length + 1) / 64) * 64;
  const text = `${about.padEnd(start - 11)}\n`;
  const bytes = new Uint8Array(start);
  bytes.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, text.length & 255, text.length >> 8]);
  bytes.set(new TextEncoder().encode(text), 10);
  return bytes;
}
