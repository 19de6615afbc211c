import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSafetensors } from '../../../src/io/safetensors';
import { OPS } from '../../../src/verify/ops';
import { SERIES } from '../../../src/verify/series';

const folder = join(import.meta.dirname, '../../fixtures/goldens');

async function metadataOf(kind: string): Promise<Map<string, string>[]> {
  const files = (await readdir(join(folder, kind))).filter((file) => file.endsWith('.safetensors'));
  return Promise.all(
    files.map(async (file) => readSafetensors(await readFile(join(folder, kind, file)), file).metadata),
  );
}

test('every operation has a golden case, and every case an operation', async () => {
  const cases = await metadataOf('ops');
  const covered = new Set(cases.map((metadata) => metadata.get('op')));
  expect([...covered].sort()).toEqual([...Object.keys(OPS), ...Object.keys(SERIES)].sort());
});

test('networks are there for both methods', async () => {
  const cases = (await metadataOf('models')).map((metadata) => JSON.parse(metadata.get('attrs') ?? ''));
  const methodsOf = (arch: string) => new Set(cases.filter((c) => c.arch === arch).map((c) => c.method));
  expect(cases.length).toBeGreaterThan(0);
  // refocused, MobileNetV1 and GhostNet have no course that float32 can be asked to follow, and DS-CNN's maps are large
  for (const { arch } of cases.filter((c) => !/^(mobilenet_v1|ghostnet|ds_cnn)/.test(c.arch)))
    expect(methodsOf(arch)).toEqual(new Set(['finetune', 'refocus']));
});
