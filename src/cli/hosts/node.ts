/** The engine in this process, on Dawn's Node binding. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine } from '../../engine';
import { UserError } from '../../errors';
import type { OpenEngine } from '../command';

/** Debian's Chromium brings a software Vulkan driver that Dawn can use as well. */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Dawn frees all its devices once nothing refers to the GPU object: keep it as long as the process. */
let gpu: GPU | undefined;

/** The best adapter that Dawn finds: a real GPU, a software one, or none. */
export async function probeNode(): Promise<'gpu' | 'software' | 'none'> {
  const found = await findGpu();
  if (!found) return 'none';
  const adapter = await found.requestAdapter();
  return adapter && !isSoftware(adapter.info) ? 'gpu' : 'software';
}

/** The engine in this process; files are read straight from disk. */
export async function openNode(pageFolder: string): Promise<OpenEngine> {
  const found = await findGpu();
  if (!found) {
    throw new UserError(
      "Dawn finds no Vulkan driver that it can use: install your GPU's, or Debian's chromium, which brings a software one, or use --runtime browser.",
    );
  }
  const api = createEngine({
    requestAdapter: () => found.requestAdapter({ powerPreference: 'high-performance' }),
    asset: async (name) => {
      const bytes = await readFile(join(pageFolder, name));
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    },
  });
  return { api, close: async () => {} };
}

async function findGpu(): Promise<GPU | undefined> {
  if (gpu) return gpu;
  // Mesa's drivers complain on stderr where this is not set.
  process.env.XDG_RUNTIME_DIR ??= tmpdir();
  const dawn = await loadDawn();
  if (!dawn) return undefined;
  Object.assign(globalThis, dawn.globals);
  const chosen = process.env.VK_ICD_FILENAMES ?? process.env.VK_DRIVER_FILES;
  const software = chosen === undefined && existsSync(SWIFTSHADER);
  let found: GPU | undefined;
  // Without a GPU Mesa's drivers only complain on stderr, so they are not even asked then.
  if (!software || hasGpuDevice()) found = await working(dawn.create([]));
  if (!found && software) {
    // The Vulkan loader reads this when Dawn makes its instance, so another one is needed.
    process.env.VK_ICD_FILENAMES = SWIFTSHADER;
    found = await working(dawn.create([]));
  }
  if (!found) return undefined;
  gpu = found;
  // Node 20 has no navigator; later ones have one without a gpu.
  if (!('navigator' in globalThis))
    Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
  return gpu;
}

async function working(candidate: GPU): Promise<GPU | undefined> {
  return (await candidate.requestAdapter()) ? candidate : undefined;
}

/** False where Linux shows no device that a real GPU's driver could use. */
function hasGpuDevice(): boolean {
  return (
    process.platform !== 'linux' ||
    ['/dev/dri', '/dev/nvidiactl', '/dev/dxg'].some((path) => existsSync(path))
  );
}

/** Dawn's binding; undefined on a platform that it has no build for. */
async function loadDawn() {
  try {
    return await import('webgpu');
  } catch {
    return undefined;
  }
}

function isSoftware(info: GPUAdapterInfo): boolean {
  return (
    info.isFallbackAdapter ||
    /swiftshader|llvmpipe|lavapipe/i.test(`${info.architecture} ${info.description}`)
  );
}
