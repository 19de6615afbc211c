import { expect, test } from 'vitest';
import type { ImageSetReport } from '../../src/data/report';
import type { UserFile } from '../../src/data/types';
import { source } from './harness';

/** PNG files of the browser's own making, in two classes, the last one damaged. */
async function photos(count: number): Promise<UserFile[]> {
  const canvas = new OffscreenCanvas(64, 48);
  const context = canvas.getContext('2d')!;
  const random = source(1);
  const files: UserFile[] = [];
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < 20; k++) {
      context.fillStyle = `rgb(${[1, 2, 3].map(() => Math.floor(128 + 60 * random()))})`;
      context.fillRect(32 + 20 * random(), 24 + 20 * random(), 10, 10);
    }
    files.push({ path: `set/${i % 2}/${i}.png`, blob: await canvas.convertToBlob({ type: 'image/png' }) });
  }
  return [
    ...files,
    { path: 'set/1/damaged.png', blob: new Blob([Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10)]) },
  ];
}

interface Loaded {
  pixels: Uint8Array;
  report: ImageSetReport;
  /** images that workers of its own decoded */
  answered: number;
  during: number;
  after: number;
  error?: string;
}

function load(files: UserFile[], memoryBytes?: number): Promise<Loaded> {
  const worker = new Worker(new URL('./opfs-worker.ts', import.meta.url), { type: 'module' });
  return new Promise<Loaded>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage({ files, memoryBytes });
  }).finally(() => worker.terminate());
}

test('a worker keeps a large set in the browser’s storage, with the bytes it has in memory', async () => {
  const files = await photos(70);
  const held = await load(files);
  expect(held.error).toBeUndefined();
  expect(held.report.kept).toEqual({ bytes: 70 * 64 * 48 * 3, place: 'memory' });
  expect(held.report.skipped.map(({ path }) => path)).toEqual(['set/1/damaged.png']);
  const kept = await load(files, 0);
  expect(kept.error).toBeUndefined();
  expect(kept.report.kept).toEqual({ ...held.report.kept, place: "the browser's storage" });
  expect(kept.pixels).toEqual(held.pixels);
  expect(new Set(kept.pixels).size).toBeGreaterThan(50);
  expect([kept.during, kept.after]).toEqual([1, 0]);
  // one is refused by its start; a machine of one core has no workers
  expect(kept.answered).toBe(navigator.hardwareConcurrency > 1 ? 70 : 0);
});
