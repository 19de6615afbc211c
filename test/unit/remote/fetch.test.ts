import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { folderCache } from '../../../src/cli/remote-cache';
import type { Fetched } from '../../../src/remote/cache';
import { bring, findFetched, look } from '../../../src/remote/fetch';
import type { Found } from '../../../src/remote/found';
import { type Progress, retryText } from '../../../src/remote/progress';
import type { Transport } from '../../../src/remote/transport';
import { bytesOf, COMMIT, HubServer, sum } from './hub-server';

let server: HubServer;
let folder: string;
beforeEach(async () => {
  server = await new HubServer().open();
  folder = await mkdtemp(join(tmpdir(), 'refocus-remote-'));
  server.cache = folder;
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const FILE = bytesOf(200_000);

const transport = (more: Partial<Transport> = {}): Transport => ({
  hub: new URL(server.hub),
  isBrowser: false,
  patience: { silence: 5000, pause: 1 },
  ...more,
});

async function fetched(text: string, more?: Partial<Transport>): Promise<Fetched> {
  const found = await look(text, transport(more));
  return bring(found, folderCache(folder), transport(more), () => {});
}

const contents = ({ files }: Fetched): Promise<Buffer[]> =>
  Promise.all(files.map(async ({ blob }) => Buffer.from(await blob.arrayBuffer())));

/** The ranges of the requests for the file itself. */
const ranges = () =>
  server.asked
    .filter(({ host, method }) => host === 'storage' && method === 'GET')
    .map(({ headers }) => headers.range);

test('a repository of the hub: the list first, then the file, checked, and kept with its commit', async () => {
  server.repositories['timm/net'] = { 'README.md': bytesOf(10), 'model.safetensors': FILE };
  const found = await look('hf:timm/net', transport());
  expect(found).toMatchObject({ address: 'hf:timm/net@main', commit: COMMIT });
  expect(found.files).toEqual([
    {
      name: 'net/model.safetensors',
      url: `${server.hub}/timm/net/resolve/${COMMIT}/model.safetensors`,
      size: FILE.length,
      sha256: sum(FILE),
    },
  ]);
  const seen: number[] = [];
  const got = await bring(found, folderCache(folder), transport(), (_, { bytes }) => seen.push(bytes));
  expect(await contents(got)).toEqual([FILE]);
  expect(got.files[0].sha256).toBe(sum(FILE));
  expect(seen.at(-1)).toBe(FILE.length);
  const before = server.asked.length;
  const kept = await findFetched('https://huggingface.co/timm/net', folderCache(folder));
  expect(kept).toMatchObject({
    commit: COMMIT,
    files: [{ path: 'net/model.safetensors', sha256: sum(FILE) }],
  });
  expect(await contents(kept!)).toEqual([FILE]);
  expect(server.asked).toHaveLength(before);
});

test('names in the cache are digests, whatever a repository calls its files', async () => {
  server.repositories['a/b'] = { 'x/..%2f..%2fevil.safetensors': FILE };
  const got = await fetched('hf:a/b');
  expect(got.files[0].path).toBe('b/_.._evil.safetensors');
  for (const name of await readdir(folder)) expect(name).toMatch(/^[0-9a-f]{64}$/);
});

test('what breaks off goes on from where it was, with If-Range', async () => {
  server.stored['/set.zip'] = FILE;
  server.breaks = [70_000, 50_000];
  expect(await contents(await fetched(`${server.storage}/set.zip`))).toEqual([FILE]);
  const [first, second, third] = ranges().map((range) => Number(/\d+/.exec(range ?? '0')![0]));
  expect([first, ranges().length]).toEqual([0, 3]);
  expect(second).toBeGreaterThan(0);
  expect(third).toBeGreaterThan(second);
  expect(server.asked.at(-1)!.headers['if-range']).toMatch(/^"[0-9a-f]{32}"$/);
});

test('a wait for another connection is told, with its reason, until bytes come again', async () => {
  server.stored['/set.zip'] = FILE;
  server.breaks = [70_000];
  const told: Progress[] = [];
  const found = await look(`${server.storage}/set.zip`, transport());
  await bring(found, folderCache(folder), transport({ patience: { silence: 5000, pause: 30 } }), (_, now) =>
    told.push(now),
  );
  const waits = told.filter(({ retry }) => retry);
  expect(waits).toHaveLength(1);
  expect(waits[0]).toMatchObject({ size: FILE.length, retry: { wait: 30 } });
  expect(waits[0].bytes).toBeGreaterThan(0);
  expect(retryText(waits[0].retry!)).toMatch(/^The connection .*broke off: trying again in 1 second\.$/);
  expect(told.at(-1)).toEqual({ bytes: FILE.length, size: FILE.length });

  told.length = 0;
  server.stored['/a'] = FILE;
  server.first.push((_, response) => Boolean(response.writeHead(503, { 'retry-after': '2' }).end()));
  const stop = new AbortController();
  const busy: Found = { ...found, address: 'a', files: [{ name: 'a', url: `${server.storage}/a` }] };
  const stopped = bring(busy, folderCache(folder), transport({ signal: stop.signal }), (_, now) => {
    told.push(now);
    stop.abort();
  });
  await expect(stopped).rejects.toThrow(/abort/i);
  expect(told[0].retry).toEqual({ why: 'the server is busy', wait: 2000 });
});

test('it goes on in another process too', async () => {
  server.stored['/set.zip'] = FILE;
  server.breaks = [70_000, 0, 0, 0, 0, 0];
  await expect(fetched(`${server.storage}/set.zip`)).rejects.toThrow(/what has come is kept/);
  const before = ranges().length;
  server.breaks = [];
  expect(await contents(await fetched(`${server.storage}/set.zip`))).toEqual([FILE]);
  expect(ranges().slice(before)).not.toContain('bytes=0-');
});

test.each([true, false])(
  'a file that changed meanwhile is fetched anew (in a browser: %s)',
  async (isBrowser) => {
    const other = bytesOf(FILE.length, 2);
    server.stored['/set.zip'] = FILE;
    server.breaks = [70_000];
    const found = await look(`${server.storage}/set.zip`, transport({ isBrowser }));
    const got = await bring(found, folderCache(folder), transport({ isBrowser }), () => {
      server.stored['/set.zip'] = other;
    });
    expect(await contents(got)).toEqual([other]);
  },
);

test('a server without ranges sends all of it again', async () => {
  server.ranges = false;
  server.stored['/set.zip'] = FILE;
  server.breaks = [70_000];
  expect(await contents(await fetched(`${server.storage}/set.zip`))).toEqual([FILE]);
});

test('what is not the file that the hub lists is not used', async () => {
  server.repositories['a/b'] = { 'model.safetensors': FILE };
  const found = await look('hf:a/b', transport());
  server.repositories['a/b']['model.safetensors'] = bytesOf(FILE.length, 3);
  const work = bring(found, folderCache(folder), transport(), () => {});
  await expect(work).rejects.toThrow(
    /^b\/model\.safetensors is not the file that the hub lists: its SHA-256 is /,
  );
  expect(await findFetched('hf:a/b', folderCache(folder))).toBeUndefined();
});

test('a cached part that was damaged is found by the checksum, and fetched anew', async () => {
  server.repositories['a/b'] = { 'model.safetensors': FILE };
  server.breaks = [70_000, 0, 0, 0, 0, 0];
  await expect(fetched('hf:a/b')).rejects.toThrow(/is kept/);
  server.breaks = [];
  const [entry] = await readdir(folder);
  const path = join(folder, entry, 'content');
  const bytes = await readFile(path);
  await writeFile(path, bytes.fill(0, 0, 10));
  expect(await contents(await fetched('hf:a/b'))).toEqual([FILE]);
});

test('where the list has no digests, the one of the redirect counts', async () => {
  server.lists = false;
  server.repositories['a/b'] = { 'model.safetensors': FILE };
  const found = await look('hf:a/b', transport());
  server.first.push((_, response) => {
    const location = `${server.storage}/other`;
    server.stored['/other'] = bytesOf(FILE.length, 3);
    response.writeHead(302, { location, 'x-linked-etag': `"${sum(FILE)}"` }).end();
    return true;
  });
  await expect(bring(found, folderCache(folder), transport(), () => {})).rejects.toThrow(/is not the file/);
});

test('the token goes to the hub, not to where the file lies, and into no message', async () => {
  server.token = 'hf_secret';
  server.repositories['a/b'] = { 'model.safetensors': FILE };
  await fetched('hf:a/b', { token: 'hf_secret' });
  for (const { host, headers } of server.asked)
    expect(headers.authorization).toBe(host === 'hub' ? 'Bearer hf_secret' : undefined);
  const refused = await look('hf:a/b', transport({ token: 'hf_wrong' })).catch((error) => error);
  expect(refused.message).toMatch(/^hf:a\/b@main is given to those only who asked for it/);
  const broken = await look('hf:a/b', transport({ token: 'hf_x\ny' })).catch((error) => error);
  expect(broken.message).toBe('The token of the hub has characters that no token has: copy it again.');
});

test('a way back to the hub does not bring the token back', async () => {
  server.repositories['a/b'] = { 'model.safetensors': FILE };
  server.first.push(
    (_, response) => Boolean(response.writeHead(302, { location: `${server.storage}/hop` }).end()),
    (_, response) =>
      Boolean(
        response.writeHead(302, { location: `${server.hub}/api/models/a/b/revision/main?blobs=true` }).end(),
      ),
  );
  await look('hf:a/b', transport({ token: 'hf_secret' }));
  expect(server.asked.map(({ headers }) => headers.authorization)).toEqual([
    'Bearer hf_secret',
    undefined,
    undefined,
  ]);
});

test('redirects end', async () => {
  server.stored['/a'] = FILE;
  server.first.push(
    ...Array.from(
      { length: 20 },
      () => (_: unknown, response: import('node:http').ServerResponse) =>
        Boolean(response.writeHead(302, { location: '/a' }).end()),
    ),
  );
  await expect(look(`${server.storage}/a`, transport())).rejects.toThrow(/sends on more than 8 times/);
  expect(server.asked).toHaveLength(9);
});

test('a redirect leads to no other protocol', async () => {
  server.first.push((_, response) =>
    Boolean(response.writeHead(302, { location: 'http://example.org/x' }).end()),
  );
  await expect(look(`${server.storage}/a`, transport())).rejects.toThrow(
    'http://example.org/x is not asked for: only https: is, and http: on this machine.',
  );
});

test.each([
  ['hf:a/b', 'hf:a/b@main is not on the hub, or is private: check the name'],
  ['hf:c/d@v9', 'hf:c/d@v9 has no such revision'],
  ['hf:c/d/none.pth', 'hf:c/d@main has no file "none.pth": '],
  [
    'hf:c/d',
    'hf:c/d@main holds 2 files that may be meant: one.pth, two.pth; name one, for example hf:c/d@main/one.pth.',
  ],
  ['hf:datasets/c/d', 'hf:datasets/c/d@main holds no archive of images'],
  ['hf:c', '"hf:c" is no address on the hub'],
  ['hf:c/d/../../x', '"hf:c/d/../../x" is no address on the hub'],
  ['http://example.org/x.zip', 'http://example.org/x.zip is not asked for: only https: is'],
  ['https://me:word@example.org/x.zip', 'The address of example.org has a name or a password in it'],
])('%s: %s', async (text, message) => {
  server.repositories['c/d'] = { 'one.pth': FILE, 'two.pth': FILE };
  server.repositories['datasets/c/d'] = { 'train.parquet': FILE };
  const error = await look(text, transport()).catch((reason) => reason);
  expect(error.name).toBe('UserError');
  expect(error.message).toContain(message);
});

test.each([
  [404, {}, /is not there \(HTTP 404\)/],
  [403, {}, /is not given to everyone \(HTTP 403\)/],
  [429, { 'retry-after': '3600' }, /has been asked too often/],
  [200, { 'content-type': 'text/html; charset=utf-8' }, /is a page, not a file/],
])('an answer of %i %o is told', async (status, headers, message) => {
  const answer = (_: unknown, response: import('node:http').ServerResponse) =>
    Boolean(response.writeHead(status, headers).end('x'));
  server.first.push(answer, answer);
  await expect(fetched(`${server.storage}/a?key=secret`)).rejects.toThrow(message);
});

test('a server that is busy is asked again, a silent one not for ever', async () => {
  server.stored['/a'] = FILE;
  const busy = (_: unknown, response: import('node:http').ServerResponse) =>
    Boolean(response.writeHead(503, { 'retry-after': '0' }).end());
  server.first.push(busy, busy, busy);
  expect(await contents(await fetched(`${server.storage}/a`))).toEqual([FILE]);
  server.first.push(...Array.from({ length: 9 }, () => () => true));
  const silent = fetched(`${server.storage}/b`, { patience: { silence: 30, pause: 1 } });
  await expect(silent).rejects.toThrow(/does not answer\. Try again/);
});

test('shards come with their index, the tensors of an ONNX model with it', async () => {
  const part = bytesOf(100);
  server.repositories['a/b'] = {
    'model.safetensors.index.json': part,
    'model-00001-of-00002.safetensors': part,
    'model-00002-of-00002.safetensors': part,
    'other-00001-of-00002.safetensors': part,
    'm/net.onnx': part,
    'm/net.onnx_data': part,
    'net.onnx_data': part,
  };
  const names = async (text: string) => (await look(text, transport())).files.map(({ name }) => name);
  expect(await names('hf:a/b')).toEqual([
    'b/model.safetensors.index.json',
    'b/model-00001-of-00002.safetensors',
    'b/model-00002-of-00002.safetensors',
  ]);
  expect(await names('hf:a/b/m/net.onnx')).toEqual(['b/net.onnx', 'b/net.onnx_data']);
});
