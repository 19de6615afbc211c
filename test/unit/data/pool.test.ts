import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { DECODER } from '../../../src/data/decode/decode-thread';
import { DecodePool } from '../../../src/data/decode/pool';
import { type Preparation, prepareImage } from '../../../src/data/decode/prepare';
import { type Answer, Answers, answerTo, type Port, type Request } from '../../../src/data/decode/protocol';
import { readImageHeader } from '../../../src/data/images/decode';
import { inOrder } from '../../../src/data/in-order';
import { fixture, picture, text } from './helpers';

const preparation: Preparation = { size: { width: 3, height: 2 }, upright: false };
const turn = (ms = 1) => new Promise((resolve) => setTimeout(resolve, ms));

describe('work in order', () => {
  test('gives the results of the items in turn, whichever is done first', async () => {
    let running = 0;
    let most = 0;
    const work = async (n: number) => {
      most = Math.max(most, ++running);
      await turn(20 - n);
      running--;
      return n * n;
    };
    const results: number[] = [];
    for await (const result of inOrder([...Array(12).keys()], 4, work)) results.push(result);
    expect(results).toEqual([...Array(12).keys()].map((n) => n * n));
    expect(most).toBe(4);
  });

  test('ends with the first error', async () => {
    const done: number[] = [];
    const results = inOrder([...Array(12).keys()], 2, async (n) => {
      if (n === 3) throw new Error('three');
      done.push(n);
      return n;
    });
    const all = async () => {
      for await (const _ of results);
    };
    await expect(all()).rejects.toThrow('three');
    expect(Math.max(...done)).toBeLessThan(6);
  });
});

/** Workers on this thread, each of which takes a turn; `behave` may fail in the place of an answer. */
function workers(behave: (request: Request) => Promise<Answer> = answerTo, isReady = true) {
  const ports: { isBusy: boolean; isTerminated: boolean }[] = [];
  const start = (): Port => {
    const answers = new Answers();
    const state = { isBusy: false, isTerminated: false };
    ports.push(state);
    setTimeout(() => (isReady ? answers.deliver('ready') : answers.fail(new Error('no such file'))));
    return {
      post(request) {
        if (state.isBusy || state.isTerminated) throw new Error('a worker takes one image at a time');
        state.isBusy = true;
        setTimeout(async () => {
          try {
            const answer = await behave(request);
            state.isBusy = false;
            answers.deliver(answer);
          } catch (error) {
            answers.fail(error as Error);
          }
        }, 1);
      },
      next: () => answers.next(),
      terminate() {
        state.isTerminated = true;
      },
    };
  };
  return { ports, start };
}

/** What becomes of each file: its digest, or why it is no good. */
const outcomes = (pool: DecodePool, files: Uint8Array<ArrayBuffer>[]) =>
  Promise.all(
    files.map((file) =>
      pool.prepare(file.slice(), preparation).then(
        ({ digest }) => digest,
        (error: Error) => `${error.name}: ${error.message}`,
      ),
    ),
  );

describe('a pool', () => {
  const pictures = Array.from({ length: 20 }, (_, i) => picture(i));

  test('decodes as one thread does, on as many workers as it has', async () => {
    const { ports, start } = workers();
    const pool = new DecodePool(3, start);
    const expected = await Promise.all(pictures.map((file) => prepareImage(file.slice(), preparation)));
    const got = await Promise.all(pictures.map((file) => pool.prepare(file.slice(), preparation)));
    expect(got).toEqual(expected);
    expect(ports).toHaveLength(3);
    pool.close();
    expect(ports.every(({ isTerminated }) => isTerminated)).toBe(true);
    await expect(pool.prepare(pictures[0].slice(), preparation)).rejects.toThrow('closed');
  });

  test('outlives images that are damaged, and images that bring a worker down', async () => {
    const { ports, start } = workers(async (request) => {
      if (request.bytes.length < 20) throw new Error('out of memory');
      return answerTo(request);
    });
    const files = [...pictures];
    files[4] = text('no image');
    for (const i of [7, 8, 15]) files[i] = new Uint8Array([...text('P6 1 1 255\n'), 0, 0, 0]);
    const got = await outcomes(new DecodePool(2, start), files);
    for (const [i, outcome] of got.entries()) {
      if (i === 4) expect(outcome).toContain('ImageError: it is no image');
      else if ([7, 8, 15].includes(i)) expect(outcome).toContain('ImageError: decoding it failed');
      else expect(outcome).toMatch(/^4x4 /);
    }
    expect(ports).toHaveLength(5);
    expect(ports.filter(({ isTerminated }) => isTerminated)).toHaveLength(3);
  });

  test('decodes no more pixels at a time than memory has room for, but any image alone', async () => {
    let pixels = 0;
    const seen: number[] = [];
    const { start } = workers(async (request) => {
      const { width, height } = readImageHeader(request.bytes);
      pixels += width * height;
      seen.push(pixels);
      await turn(3);
      pixels -= width * height;
      return answerTo(request);
    });
    const large = new Uint8Array([...text('P6 9 9 255\n'), ...new Uint8Array(243)]);
    const files = [...pictures.slice(0, 6), large, ...pictures.slice(6)];
    const got = await outcomes(new DecodePool(4, start, 40), files);
    expect(got.map((outcome) => outcome.slice(0, 3))).toEqual(
      files.map((file) => (file === large ? '9x9' : '4x4')),
    );
    // two of 16 pixels, or the one of 81
    expect(new Set(seen)).toEqual(new Set([16, 32, 81]));
  });

  test('works on this thread where workers do not start', async () => {
    const { ports, start } = workers(answerTo, false);
    const got = await outcomes(new DecodePool(4, start), pictures);
    expect(got.every((outcome) => outcome.startsWith('4x4 '))).toBe(true);
    expect(ports).toHaveLength(4);
  });

  test('tells a fault of the decoder from a damaged file', async () => {
    const { start } = workers(async () => ({ fault: 'x is not a function' }));
    expect(await outcomes(new DecodePool(2, start), pictures.slice(0, 1))).toEqual([
      'Error: x is not a function',
    ]);
  });
});

test('threads of Node decode the same, and name what is damaged', async () => {
  const file = new URL('../../../src/data/decode/decode-thread.ts', import.meta.url).pathname;
  const start = (): Port => {
    // the sources, as Vite makes modules for Node of them
    const server = {
      configFile: false,
      appType: 'custom',
      optimizeDeps: { noDiscovery: true },
      server: { middlewareMode: true, ws: false },
    };
    const code = `import('vite')
      .then(({ createServer }) => createServer(${JSON.stringify(server)}))
      .then((server) => server.ssrLoadModule(${JSON.stringify(file)}));`;
    const worker = new Worker(code, { eval: true, workerData: DECODER });
    const answers = new Answers();
    worker.on('message', (answer) => answers.deliver(answer));
    worker.on('error', (error) => answers.fail(error as Error));
    return {
      post: (request) => worker.postMessage(request, [request.bytes.buffer]),
      next: () => answers.next(),
      terminate: () => void worker.terminate(),
    };
  };
  const pool = new DecodePool(1, start);
  const files = [fixture('plain.jpg'), text('no image'), fixture('rgb.png')];
  const [jpeg, damaged, png] = await outcomes(pool, files);
  expect(jpeg).toBe((await prepareImage(files[0].slice(), preparation)).digest);
  expect(png).toBe((await prepareImage(files[2].slice(), preparation)).digest);
  expect(damaged).toContain('ImageError: it is no image');
  pool.close();
});
