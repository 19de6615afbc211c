import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type StaticServer, serve } from '../../../src/cli/hosts/server';
import { UserError } from '../../../src/errors';
import { pack, unpack } from '../../../src/worker/pack';

let folder: string;
let server: StaticServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refocus-server-'));
  await mkdir(join(folder, 'page/assets'), { recursive: true });
  await writeFile(join(folder, 'secret'), 'secret');
  await writeFile(join(folder, 'page/index.html'), '<p>page');
  await writeFile(join(folder, 'page/assets/a b.js'), 'js');
  await symlink('/etc', join(folder, 'page/etc'));
  server = await serve(join(folder, 'page'), { token: 'token' });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** The status line's number for a raw path: fetch would tidy it up first. */
function rawStatus(path: string, method = 'GET'): Promise<number> {
  const port = Number(new URL(server.url).port);
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${method} ${path} HTTP/1.0\r\n\r\n`));
    let answer = '';
    socket.on('data', (data) => {
      answer += data;
    });
    socket.on('end', () => resolve(Number(answer.split(' ')[1])));
    socket.on('error', reject);
  });
}

test('serves the folder below its token', async () => {
  const page = await fetch(server.url);
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(await page.text()).toBe('<p>page');
  const script = await fetch(`${server.url}assets/a%20b.js?x`);
  expect(script.headers.get('content-type')).toContain('text/javascript');
});

test.each([
  '/',
  '/index.html',
  '/wrong/index.html',
  '/token',
  '/token/none',
  '/token/../secret',
  '/token/%2e%2e/secret',
  '/token/..%2fsecret',
  '/token/assets/../../secret',
  '/token//etc/passwd',
  '/token/etc/passwd',
  '/token/assets',
  '/token/%',
  '/token/index.html%00',
])('%s is not found', async (path) => expect(await rawStatus(path)).toBe(404));

test('files are only read', async () => expect(await rawStatus('/token/index.html', 'PUT')).toBe(405));

test('a taken port is a UserError', async () => {
  const port = Number(new URL(server.url).port);
  await expect(serve(join(folder, 'page'), { port })).rejects.toThrow(UserError);
  await expect(serve(join(folder, 'page'), { port })).rejects.toThrow(/EADDRINUSE/);
});

test('pack and unpack bring every blob back', async () => {
  const value = [
    { name: 'a', blob: new Blob(['abc']) },
    new Uint8Array([1, 2]),
    undefined,
    null,
    3,
    new Blob(['']),
    new Blob(['d']),
  ];
  const { data, blobs } = pack(value);
  const back = (await unpack(JSON.parse(JSON.stringify(data)), new Blob(blobs))) as [
    { name: string; blob: Blob },
    ...Blob[],
  ];
  expect(back[0].name).toBe('a');
  expect(await back[0].blob.text()).toBe('abc');
  expect([...new Uint8Array(await back[1].arrayBuffer())]).toEqual([1, 2]);
  expect(back[5].size).toBe(0);
  expect(await back[6].text()).toBe('d');
});

test('thousands of blobs come back in their order, others between them', async () => {
  const { data, blobs } = pack(Array.from({ length: 1200 }, (_, i) => ({ i, blob: new Blob([`${i}`]) })));
  let turns = 0;
  const timer = setInterval(() => turns++);
  const back = (await unpack(data, new Blob(blobs))) as { i: number; blob: Blob }[];
  clearInterval(timer);
  expect(turns).toBeGreaterThan(0);
  for (const i of [0, 499, 500, 1199]) expect(await back[i].blob.text()).toBe(`${i}`);
});

test('sends the headers that it is given with every file', async () => {
  const headers = { 'content-security-policy': "default-src 'self'" };
  const other = await serve(join(folder, 'page'), { headers: () => headers });
  const answer = await fetch(`${other.url}assets/a%20b.js`);
  expect(answer.headers.get('content-security-policy')).toBe("default-src 'self'");
  await other.close();
});
