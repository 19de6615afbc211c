/** A small static server on this machine's loopback: the page, and what headless runs exchange with it. */
import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, relative, sep } from 'node:path';
import { UserError } from '../../errors';
import { listFiles } from '../files';

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export interface ServeOptions {
  /** 0, the default, takes a free port */
  port?: number;
  /** first segment of every path; only who knows it reaches anything */
  token?: string;
  /** further addresses below the token, asked for by path, tried before the files */
  route?: (path: string) => Handler | undefined;
  /** what is sent with a file, by its path */
  headers?: (path: string) => Readonly<Record<string, string>>;
}

export interface StaticServer {
  /** address of the folder, with a slash at its end */
  url: string;
  close(): Promise<void>;
}

/**
 * Serves the files that a folder holds now, and nothing else: requests are looked up in a list, so no path leads
 * out of the folder.
 * @throws UserError where the port is taken
 */
export async function serve(folder: string, options: ServeOptions = {}): Promise<StaticServer> {
  const files = new Map<string, string>();
  for (const file of await listFiles(folder)) files.set(relative(folder, file).split(sep).join('/'), file);
  const prefix = options.token ? `/${options.token}/` : '/';

  const server = createServer((request, response) => {
    const path = pathOf(request, prefix);
    const handler =
      path === undefined ? undefined : (options.route?.(path) ?? fileHandler(files, path, options.headers));
    (handler ?? notFound)(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new UserError(`Port ${options.port} cannot be used (${error.code}); name another --port.`)),
    );
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}${prefix}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The path below the prefix, undefined where the request is none of ours. */
function pathOf(request: IncomingMessage, prefix: string): string | undefined {
  try {
    const path = decodeURIComponent((request.url ?? '').split('?')[0]);
    return path.startsWith(prefix) ? path.slice(prefix.length) : undefined;
  } catch {
    return undefined;
  }
}

function fileHandler(
  files: Map<string, string>,
  path: string,
  headers: ServeOptions['headers'],
): Handler | undefined {
  const file = files.get(path === '' ? 'index.html' : path);
  if (file === undefined) return undefined;
  return async (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405);
    response.writeHead(200, {
      ...headers?.(path),
      'content-type': types[extname(file)] ?? 'application/octet-stream',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache',
    });
    if (request.method === 'HEAD') response.end();
    else
      createReadStream(file)
        .on('error', () => response.destroy())
        .pipe(response);
  };
}

const notFound: Handler = async (_request, response) => refuse(response, 404);

function refuse(response: ServerResponse, status: number): void {
  response
    .writeHead(status, { 'content-type': 'text/plain' })
    .end(status === 404 ? 'Not found' : 'Not allowed');
}
