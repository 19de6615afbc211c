/** The engine in headless Chromium: a page of ours, driven from here, with the user's files served to it alone. */
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import type { BatchPreview, EngineApi, ExportedNetwork, TestEvent, TrainEvent, TrainResult } from '../../api';
import { asUserError, UserError } from '../../errors';
import { EngineFailure, trainOn } from '../../worker/go-on';
import { pack } from '../../worker/pack';
import type { OpenEngine } from '../command';
import { type AdapterChoice, adapterChoice } from './adapter';
import { chromiumArgs, HEADLESS_PAGE } from './chromium';
import type { RemoteCall, RemoteResult } from './headless';
import { type Handler, serve } from './server';

/**
 * Starts Chromium on the headless page.
 * @throws UserError where it does not start
 */
export async function openBrowser(pageFolder: string, executablePath: string): Promise<OpenEngine> {
  const listeners = new Set<Listener>();
  const tell = (event: EngineEvent) => {
    for (const listener of listeners) listener(event);
  };
  const exchange = new Exchange(tell);
  const token = randomBytes(16).toString('hex');
  const server = await serve(pageFolder, { token, route: (path) => exchange.route(path) });
  try {
    const open = () => launch(executablePath, server.url + HEADLESS_PAGE, tell);
    let opened = await open();
    const call = (method: keyof EngineApi, ...args: unknown[]) =>
      exchange.call(opened.page, server.url, method, args);
    const replace = async () => {
      await opened.browser.close().catch(() => {});
      opened = await open();
    };
    return {
      api: outliving(remoteApi(call, listeners), replace),
      async close() {
        await opened.browser.close();
        await server.close();
      },
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** The engine of a browser that may crash: a run goes on in another one. */
export function outliving(engine: EngineApi, replace: () => Promise<void>): EngineApi {
  let isCancelled = false;
  return {
    ...engine,
    async train(job, onEvent = () => {}) {
      isCancelled = false;
      const host = { engine: () => engine, replace, onEvent, goesOn: () => !isCancelled };
      try {
        return (await trainOn(job, host)).result;
      } catch (error) {
        throw error instanceof EngineFailure ? new UserError(error.message) : error;
      }
    },
    cancel(discard) {
      isCancelled = true;
      return engine.cancel(discard);
    },
  };
}

/** What calls tell while they run. */
type EngineEvent = TrainEvent | TestEvent;
type Listener = (event: EngineEvent) => void;

type Call = (method: keyof EngineApi, ...args: unknown[]) => Promise<{ value: unknown; bytes?: Buffer }>;

/** A result without its files, which travel apart: the last network's, the best one's, then the others. */
type SentResult = Omit<TrainResult, 'merged' | 'best' | 'files'> & { names: string[]; sizes: number[] };

/** The engine's face on this side of the bridge. */
function remoteApi(call: Call, listeners: Set<Listener>): EngineApi {
  const value = async <T>(...args: Parameters<Call>): Promise<T> => (await call(...args)).value as T;
  /** The events of one kind while some work goes on; the page tells all of them to all. */
  const hearing = async <Event, T>(
    onEvent: ((event: Event) => void) | undefined,
    isMeant: (event: EngineEvent) => boolean,
    work: () => Promise<T>,
  ): Promise<T> => {
    const listen: Listener = (event) => isMeant(event) && onEvent?.(event as Event);
    listeners.add(listen);
    try {
      return await work();
    } finally {
      listeners.delete(listen);
    }
  };
  const isTest = (event: EngineEvent) => event.type === 'phase' && event.phase === 'test';
  const isAnalysis = (event: EngineEvent) => event.type === 'phase' && event.phase === 'analyse';
  const isRun = (event: EngineEvent) => !isTest(event);
  return {
    adapter: () => value('adapter'),
    warmUp: (job) => value('warmUp', job),
    async train(job, onEvent) {
      const result = await hearing(onEvent, isRun, () => call('train', job));
      if (!result.bytes) throw new Error('The merged weights did not arrive from the browser.');
      const { names, sizes, ...rest } = result.value as SentResult;
      const bytes = new Uint8Array(result.bytes);
      const [merged, best, ...others] = parts(bytes, sizes);
      return { ...rest, merged, best, files: others.map((file, i) => ({ name: names[i], bytes: file })) };
    },
    findRate: (job, options, onEvent) => hearing(onEvent, isRun, () => value('findRate', job, options)),
    analyse: (job, onEvent) => hearing(onEvent, isAnalysis, () => value('analyse', job)),
    pause: () => value('pause'),
    resume: () => value('resume'),
    takeStep: () => value('takeStep'),
    cancel: (discard) => value('cancel', discard),
    watch: (isOn) => value('watch', isOn),
    evaluate: (model, test, options, onEvent) =>
      hearing(onEvent, isTest, () => value('evaluate', model, test, options)),
    predict: (model, images, options, onEvent) =>
      hearing(onEvent, isTest, () => value('predict', model, images, options)),
    async exportOnnx(...args) {
      const { value: rest, bytes } = await call('exportOnnx', ...args);
      if (!bytes) throw new Error('The ONNX file did not arrive from the browser.');
      return { ...(rest as Omit<ExportedNetwork, 'bytes'>), bytes: new Uint8Array(bytes) };
    },
    verify: (...args) => value('verify', ...args),
    bench: (...args) => value('bench', ...args),
    // a callback cannot cross the bridge
    profile: (target, runs) => value('profile', target, runs),
    inspect: (...args) => value('inspect', ...args),
    preview: (...args) => value('preview', ...args),
    tensors: (...args) => value('tensors', ...args),
    sort: (...args) => value('sort', ...args),
    survey: (...args) => value('survey', ...args),
    forecast: (...args) => value('forecast', ...args),
    async previewBatch(job) {
      const { value: rest, bytes } = await call('previewBatch', job);
      if (!bytes) throw new Error('The preview did not arrive from the browser.');
      return { ...(rest as Omit<BatchPreview, 'pixels'>), pixels: new Uint8Array(bytes) };
    },
    classImages: (...args) => value('classImages', ...args),
    pictures: (...args) => value('pictures', ...args),
  };
}

/** Bytes cut into pieces of those sizes. */
function parts(bytes: Uint8Array<ArrayBuffer>, sizes: readonly number[]): Uint8Array<ArrayBuffer>[] {
  let start = 0;
  return sizes.map((size) => {
    start += size;
    return bytes.subarray(start - size, start);
  });
}

/** A real adapter first; SwiftShader where the browser shows none and REFOCUS_ADAPTER does not forbid it. */
async function launch(executablePath: string, url: string, onEvent: Listener) {
  const wanted = adapterChoice();
  let opened = await openPage(executablePath, url, wanted, onEvent);
  if (wanted === 'any' && !(await hasAdapter(opened.page))) {
    await opened.browser.close();
    opened = await openPage(executablePath, url, 'software', onEvent);
  }
  return opened;
}

/** What else is wrong with WebGPU the engine says, case by case. */
function hasAdapter(page: Page): Promise<boolean> {
  return page.evaluate(async () => {
    try {
      return (await navigator.gpu?.requestAdapter()) != null;
    } catch {
      return false;
    }
  });
}

async function openPage(
  executablePath: string,
  url: string,
  adapter: AdapterChoice,
  onEvent: Listener,
): Promise<{ browser: BrowserContext; page: Page }> {
  let browser: BrowserContext;
  try {
    // signals are ours: the first one saves the work, and the browser must live to do it
    const handlers = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
    // a profile of its own on the disk, which ends with it: in a window without one, files would be memory
    const options = { executablePath, args: chromiumArgs(adapter), ...handlers };
    browser = await chromium.launchPersistentContext('', options);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new UserError(`${executablePath} did not start (${reason}); set CHROMIUM to another browser.`);
  }
  const page = await browser.newPage();
  page.on('pageerror', (error) => process.stderr.write(`${error.stack}\n`));
  await page.exposeFunction('refocusEvent', onEvent);
  await page.goto(url);
  await page.waitForFunction(() => window.refocusCall !== undefined);
  return { browser, page };
}

/** The bytes that calls carry: files to the page, results back from it. */
class Exchange {
  private calls = 0;
  private readonly outgoing = new Map<string, Blob[]>();
  private readonly incoming = new Map<string, Buffer>();

  /** @param tell hears of checkpoints */
  constructor(private readonly tell: Listener) {}

  /** Runs one call in the page. */
  async call(page: Page, base: string, method: keyof EngineApi, args: unknown[]) {
    const id = String(this.calls++);
    const { data, blobs } = pack(args);
    this.outgoing.set(`blobs/${id}`, blobs);
    const call: RemoteCall = {
      method,
      args: data as unknown[],
      blobs: `${base}blobs/${id}`,
      results: `${base}results/${id}`,
      checkpoints: `${base}checkpoints/${id}`,
    };
    try {
      const result: RemoteResult = await page
        .evaluate((sent) => window.refocusCall(sent), call)
        .catch((error: Error) => {
          // Playwright's own errors mean that page or browser are gone: errors of the engine come as data.
          const Ended = method === 'train' ? EngineFailure : UserError;
          throw new Ended(
            `The browser ended during ${method} (${error.message.split('\n')[0]}); start again, with a smaller --batch if memory was short.`,
          );
        });
      if ('error' in result) throw errorFrom(result.error);
      return { value: result.value, bytes: this.incoming.get(`results/${id}`) };
    } finally {
      this.outgoing.delete(`blobs/${id}`);
      this.incoming.delete(`results/${id}`);
    }
  }

  /** The server's addresses of running calls. */
  route(path: string): Handler | undefined {
    const blobs = this.outgoing.get(path);
    if (blobs) return (_request, response) => sendAll(blobs, response);
    const [kind, id, step, file] = path.split('/');
    if (!this.outgoing.has(`blobs/${id}`)) return undefined;
    if (kind === 'checkpoints') {
      return receive((body) =>
        this.tell({ type: 'checkpoint', file, step: Number(step), bytes: new Uint8Array(body) }),
      );
    }
    return kind === 'results' ? receive((body) => void this.incoming.set(path, body)) : undefined;
  }
}

/** Takes a request's body. */
const receive =
  (take: (body: Buffer) => void): Handler =>
  async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    take(Buffer.concat(chunks));
    response.end();
  };

async function sendAll(blobs: Blob[], response: ServerResponse): Promise<void> {
  const size = blobs.reduce((sum, blob) => sum + blob.size, 0);
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': size });
  await pipeline(async function* () {
    for (const blob of blobs) yield* blob.stream();
  }, response);
}

function errorFrom({ name, message, stack }: { name: string; message: string; stack?: string }): Error {
  const known = asUserError({ name, message });
  if (known) return known;
  const error = new Error(message);
  error.stack = stack;
  return error;
}
