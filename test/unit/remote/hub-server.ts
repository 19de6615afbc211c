/** A server that speaks the hub's paths, and a second one that the files lie on, as on the hub's CDN. */
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const sum = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';

/** A file of `size` bytes that differ from each other. */
export function bytesOf(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(size);
  for (let i = 0, state = seed; i < size; i++) {
    state = (state * 1664525 + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

interface Asked {
  host: 'hub' | 'storage';
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
}

export class HubServer {
  readonly asked: Asked[] = [];
  /** by `owner/name`, `datasets/owner/name` */
  readonly repositories: Record<string, Record<string, Buffer>> = {};
  /** files on the second server, by path */
  readonly stored: Record<string, Buffer> = {};
  /** answers before all others, once each; `undefined`: the usual one */
  readonly first: ((request: IncomingMessage, response: ServerResponse) => boolean)[] = [];
  /** bytes after which an answer with a file breaks off, one number an answer */
  breaks: number[] = [];
  /** where the client keeps what comes: it loses what it has not kept when the answer breaks off */
  cache?: string;
  /** whether ranges are understood */
  ranges = true;
  /** whether the list says the files' digests */
  lists = true;
  token?: string;
  hub = '';
  storage = '';
  private readonly servers: Server[] = [];

  async open(): Promise<this> {
    this.hub = await this.listen('hub', (request, response) => this.answerHub(request, response));
    this.storage = await this.listen('storage', (request, response) => {
      const file = this.stored[request.url ?? ''];
      if (file) this.send(file, request, response);
      else response.writeHead(404).end();
    });
    return this;
  }

  async close(): Promise<void> {
    for (const server of this.servers) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  }

  private async listen(
    host: Asked['host'],
    answer: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<string> {
    const server = createServer((request, response) => {
      this.asked.push({ host, method: request.method!, path: request.url!, headers: request.headers });
      response.setHeader('access-control-allow-origin', '*');
      response.setHeader('access-control-expose-headers', 'ETag, Content-Range');
      if (this.first.shift()?.(request, response)) return;
      answer(request, response);
    });
    this.servers.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  private answerHub(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(request.url ?? '');
    const fail = (status: number, code: string) =>
      response.writeHead(status, { 'x-error-code': code, 'x-error-message': code }).end(code);
    if (this.token && request.headers.authorization !== `Bearer ${this.token}`)
      return void fail(401, 'GatedRepo');
    const list =
      /^\/api\/(?:models\/|(?=datasets))((?:datasets\/)?[^/]+\/[^/]+)\/revision\/(.+)\?blobs=true$/.exec(
        path,
      );
    const resolve = /^\/((?:datasets\/)?[^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(path);
    const [, name, revision, file] = list ?? resolve ?? [];
    const files = this.repositories[name];
    if (!files) return void fail(401, 'RepoNotFound');
    if (revision !== 'main' && revision !== COMMIT) return void fail(404, 'RevisionNotFound');
    if (list) {
      const siblings = Object.entries(files).map(([rfilename, bytes]) => ({
        rfilename,
        size: bytes.length,
        ...(this.lists && { lfs: { sha256: sum(bytes), size: bytes.length, pointerSize: 134 } }),
      }));
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
      response.end(JSON.stringify({ id: name, sha: COMMIT, siblings }));
      return;
    }
    const bytes = files[file];
    if (!bytes) return void fail(404, 'EntryNotFound');
    const stored = `/${name}/${sum(bytes).slice(0, 8)}?key=secret`;
    this.stored[stored] ??= bytes;
    response
      .writeHead(302, {
        location: this.storage + stored,
        'x-repo-commit': COMMIT,
        'x-linked-size': bytes.length,
        'x-linked-etag': `"${sum(bytes)}"`,
      })
      .end();
  }

  /** A file with its ETag, from where the range begins. */
  send(file: Buffer, request: IncomingMessage, response: ServerResponse): void {
    const etag = `"${createHash('md5').update(file).digest('hex')}"`;
    const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const condition = request.headers['if-range'];
    const isPart = this.ranges && asked !== null && (condition === undefined || condition === etag);
    const start = isPart ? Number(asked[1]) : 0;
    if (start > 0 && start >= file.length) {
      response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
      return;
    }
    const part = file.subarray(start);
    response.writeHead(isPart ? 206 : 200, {
      'content-type': 'application/octet-stream',
      'content-length': part.length,
      etag,
      ...(isPart && { 'content-range': `bytes ${start}-${file.length - 1}/${file.length}` }),
    });
    if (request.method === 'HEAD') return void response.end();
    const most = this.breaks.shift();
    if (most === undefined || most >= part.length) return void response.end(part);
    response.write(part.subarray(0, most), async () => {
      await this.kept(start + most);
      response.destroy();
    });
  }

  /** Waits until the client has kept so many bytes, or some seconds. */
  private async kept(bytes: number): Promise<void> {
    const { cache } = this;
    if (cache === undefined) return sleep(20);
    const size = async () => {
      const entries = await readdir(cache);
      const sizes = entries.map((entry) =>
        stat(join(cache, entry, 'content')).then(
          ({ size }) => size,
          () => 0,
        ),
      );
      return Math.max(0, ...(await Promise.all(sizes)));
    };
    for (let turn = 0; turn < 500 && (await size()) < bytes; turn++) await sleep(10);
  }
}
