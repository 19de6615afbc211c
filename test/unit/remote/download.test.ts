import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { folderCache } from '../../../src/cli/remote-cache';
import { keyOf, type RemoteCache } from '../../../src/remote/cache';
import { download, MAX_FILE } from '../../../src/remote/download';
import type { RemoteFile } from '../../../src/remote/found';
import { bytesOf, HubServer, sum } from './hub-server';

/** What a server may say of a file that it breaks off, shortens, or is wrong about. */

let server: HubServer;
let folder: string;
let cache: RemoteCache;
beforeEach(async () => {
  server = await new HubServer().open();
  folder = await mkdtemp(join(tmpdir(), 'refocus-download-'));
  server.cache = folder;
  cache = folderCache(folder);
  server.stored['/set.zip'] = FILE;
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const FILE = bytesOf(60_000);

async function fetched(more: Partial<RemoteFile> = {}, isBrowser = false): Promise<Buffer> {
  const file = { name: 'set.zip', url: `${server.storage}/set.zip`, ...more };
  const patience = { silence: 5000, pause: 1 };
  const { blob } = await download(file, cache, { hub: new URL(server.hub), isBrowser, patience }, () => {});
  return Buffer.from(await blob.arrayBuffer());
}

/** An answer with these headers, that breaks off after so many bytes of the file, or ends where that is all. */
const answer =
  (headers: OutgoingHttpHeaders, bytes: number) => (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, headers);
    if (bytes >= FILE.length) response.end(FILE);
    else response.write(FILE.subarray(0, bytes), () => setTimeout(() => response.destroy(), 20));
    return true;
  };

const ranges = () => server.asked.map(({ headers }) => headers.range);

test.each<[string, OutgoingHttpHeaders]>([
  ['without an ETag', {}],
  ['with an ETag that stands for no bytes', { etag: 'W/"1"' }],
])('a file %s is begun again, since the rest may be of another', async (_, headers) => {
  server.first.push(answer({ 'content-length': FILE.length, ...headers }, 20_000));
  expect(await fetched()).toEqual(FILE);
  expect(ranges()).toEqual([undefined, undefined]);
});

test.each([true, false])(
  'a file that became shorter is begun again (in a browser: %s)',
  async (isBrowser) => {
    const shorter = bytesOf(10_000, 2);
    server.first.push((request, response) => {
      server.breaks = [30_000];
      server.send(FILE, request, response);
      server.stored['/set.zip'] = shorter;
      return true;
    });
    expect(await fetched({}, isBrowser)).toEqual(shorter);
    expect(ranges()[1]).toMatch(/^bytes=[1-9]/);
  },
);

test('a file of which every byte has come is not asked for again', async () => {
  const key = await keyOf(`the bytes of ${server.storage}/set.zip`);
  const writer = await cache.append(key, 0);
  await writer.write(FILE);
  await writer.close();
  await cache.writeFacts(key, { etag: '"1"', size: FILE.length });
  expect(await fetched()).toEqual(FILE);
  expect(server.asked).toEqual([]);
});

test('no more is taken than was announced', async () => {
  server.first.push(answer({}, FILE.length));
  await expect(fetched({ size: 1000 })).rejects.toThrow(
    'set.zip is longer than the 1000 bytes that were announced: try again.',
  );
  const key = await keyOf(`the bytes of ${server.storage}/set.zip`);
  expect((await cache.content(key)).size).toBeLessThanOrEqual(1000);
});

test('a file that is too large, or has no room, is refused before its bytes come', async () => {
  server.first.push(answer({ 'content-length': MAX_FILE + 1 }, 1000));
  await expect(fetched()).rejects.toThrow(/^set\.zip is larger than 32 GiB: download it yourself/);
  cache = { ...cache, place: 'the cupboard', room: async () => FILE.length - 1 };
  await expect(fetched()).rejects.toThrow(
    'set.zip needs 1 MB, and the cupboard has room for 1 MB: make some.',
  );
  expect((await cache.content(await keyOf(`the bytes of ${server.storage}/set.zip`))).size).toBe(0);
  cache = { ...cache, room: async () => FILE.length };
  expect(await fetched()).toEqual(FILE);
});

test('a file that is kept is asked for again where the hub lists another one', async () => {
  const other = bytesOf(FILE.length, 3);
  expect(await fetched({ sha256: sum(FILE) })).toEqual(FILE);
  server.stored['/set.zip'] = other;
  const before = server.asked.length;
  expect(await fetched({ sha256: sum(FILE) })).toEqual(FILE);
  expect(server.asked).toHaveLength(before);
  expect(await fetched({ sha256: sum(other) })).toEqual(other);
});

test('sizes are those of the bytes as they are sent: no encoding is asked for, and of an encoded answer none is known', async () => {
  await fetched();
  expect(server.asked[0].headers['accept-encoding']).toBe('identity');
  const packed = gzipSync(Buffer.alloc(50_000));
  server.first.push((_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length, etag: '"1"' });
    response.end(packed);
    return true;
  });
  expect(await fetched({ url: `${server.storage}/zeros` }, true)).toEqual(Buffer.alloc(50_000));
});
