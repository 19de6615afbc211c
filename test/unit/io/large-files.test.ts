import {
  ftruncateSync,
  mkdtempSync,
  openAsBlob,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { writePyTorch } from '../../../src/io/pytorch/write';
import { writeSafetensors } from '../../../src/io/safetensors';
import { floats, type StateDict } from '../../../src/io/tensor';
import { openWeights } from '../../../src/io/weights-file';

const GIB = 2 ** 30;
const folder = mkdtempSync(join(tmpdir(), 'refocus-large-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A blob of a file's bytes; Node 20's own counts its size in 32 bits. */
function blobOf(file: number, begin: number, end: number, onRead: (bytes: number) => void = () => {}): Blob {
  const blob = {
    size: end - begin,
    slice: (from = 0, to = end - begin) =>
      blobOf(file, Math.min(begin + from, end), Math.min(begin + Math.max(from, to), end), onRead),
    async arrayBuffer() {
      const bytes = new Uint8Array(end - begin);
      readSync(file, bytes, 0, bytes.length, begin);
      onRead(bytes.length);
      return bytes.buffer;
    },
  };
  return blob as unknown as Blob;
}

/** A file with parts at their places and holes between, which take no room on the disk. */
function sparse(name: string, size: number, parts: [at: number, bytes: Uint8Array][]): number {
  const file = openSync(join(folder, name), 'w+');
  ftruncateSync(file, size);
  for (const [at, bytes] of parts) writeSync(file, bytes, 0, bytes.length, at);
  return file;
}

describe('only what is asked for is read', () => {
  const KIB = 2 ** 10;
  const state: StateDict = new Map(
    ['a', 'b', 'c'].map((name, i) => [name, floats([64 * KIB], new Float32Array(64 * KIB).fill(i))]),
  );
  test.each<[string, Uint8Array<ArrayBuffer>]>([
    ['net.pth', writePyTorch(state)],
    ['net.safetensors', writeSafetensors(state)],
  ])('%s', async (path, bytes) => {
    let read = 0;
    const file = sparse(path, bytes.length, [[0, bytes]]);
    const blob = blobOf(file, 0, bytes.length, (count) => {
      read += count;
    });
    const [copy] = (await openWeights({ path, blob })).copies;
    expect([...copy.entries.keys()]).toEqual(['a', 'b', 'c']);
    expect(read).toBeLessThan(90 * KIB); // the longest comment that a zip archive may end with has 64
    const before = read;
    expect([...(await copy.read(new Set(['b'])))]).toEqual([['b', state.get('b')]]);
    expect(read - before).toBeLessThan(257 * KIB);
  });
});

describe('files above 4 GiB', () => {
  test('of no known kind are told by their start', async () => {
    const blob = blobOf(sparse('noise', 5 * GIB, [[0, Uint8Array.of(1, 2, 3)]]), 0, 5 * GIB);
    const opening = openWeights({ path: 'noise.pth', blob });
    await expect(opening).rejects.toThrow(/begins with the bytes 01 02 03 00/);
  });

  test('whose tensors are too large together say how large', async () => {
    const info = { dtype: 'F32', shape: [5 * 2 ** 28], data_offsets: [0, 5 * GIB] };
    const header = new TextEncoder().encode(JSON.stringify({ w: info }));
    const start = new Uint8Array(8 + header.length);
    start[0] = header.length;
    start.set(header, 8);
    const size = start.length + 5 * GIB;
    const blob = blobOf(sparse('large', size, [[0, start]]), 0, size);
    const opening = openWeights({ path: 'large.safetensors', blob });
    await expect(opening).rejects.toThrow(UserError);
    await expect(opening).rejects.toThrow(
      'large.safetensors holds 5.0 GiB of tensors, and the limit is 2.0 GiB; choose a smaller network.',
    );
  });

  test('with small tensors behind 5 GiB of others are read (zip64)', async () => {
    const state: StateDict = new Map([
      ['w', floats([3], [1, 2, 3])],
      ['v', floats([1], [4])],
    ]);
    const archive = writePyTorch(state);
    const cut = Buffer.from(archive).indexOf('archive/data/0') - 30;
    const { bytes, parts, size } = withHole(archive, cut, 5 * GIB);
    expect(bytes).toBeGreaterThan(4 * GIB);
    const blob = blobOf(sparse('far', size, parts), 0, size);
    const [copy] = (await openWeights({ path: 'far.pth', blob })).copies;
    expect(await copy.read()).toEqual(state);
  });
});

test('a file that changes after it was chosen is named', async () => {
  const path = join(folder, 'changing.pth');
  writeFileSync(path, writePyTorch(new Map([['w', floats([1], [1])]])));
  const blob = await openAsBlob(path);
  writeFileSync(path, 'something else');
  const opening = openWeights({ path: 'changing.pth', blob });
  await expect(opening).rejects.toThrow(UserError);
  await expect(opening).rejects.toThrow(/^changing\.pth can no longer be read, .*; choose it again\.$/);
});

/** A zip archive with `hole` bytes before the entry at `cut`, as zip64: offsets beyond 4 GiB in longer fields. */
function withHole(archive: Uint8Array, cut: number, hole: number) {
  const end = new DataView(archive.buffer, archive.length - 22);
  const [count, directory] = [end.getUint16(10, true), end.getUint32(16, true)];
  const entries: Uint8Array[] = [];
  for (let at = directory, i = 0; i < count; i++) {
    const view = new DataView(archive.buffer, at);
    const [name, extra] = [view.getUint16(28, true), view.getUint16(30, true)];
    const header = archive.slice(at, at + 46 + name);
    const long = new DataView(new ArrayBuffer(12));
    long.setUint16(0, 1, true);
    long.setUint16(2, 8, true);
    const offset = view.getUint32(42, true);
    long.setBigUint64(4, BigInt(offset < cut ? offset : offset + hole), true);
    const patched = new DataView(header.buffer);
    patched.setUint16(30, 12, true);
    patched.setUint32(42, 0xffffffff, true);
    entries.push(header, new Uint8Array(long.buffer));
    at += 46 + name + extra;
  }
  const table = Buffer.concat(entries);
  const last = new DataView(new ArrayBuffer(56 + 20 + 22));
  last.setUint32(0, 0x06064b50, true);
  last.setBigUint64(32, BigInt(count), true);
  last.setBigUint64(48, BigInt(directory + hole), true);
  last.setUint32(56, 0x07064b50, true);
  last.setBigUint64(64, BigInt(directory + hole + table.length), true);
  last.setUint32(76, 0x06054b50, true);
  last.setUint32(76 + 16, 0xffffffff, true);
  const parts: [number, Uint8Array][] = [
    [0, archive.subarray(0, cut)],
    [cut + hole, archive.subarray(cut, directory)],
    [directory + hole, table],
    [directory + hole + table.length, new Uint8Array(last.buffer)],
  ];
  const size = directory + hole + table.length + last.byteLength;
  return { bytes: directory + hole, parts, size };
}
