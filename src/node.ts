/** The engine in Node, `refocus/node`: Dawn's binding, npm's `webgpu`, gives it the GPU. */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { EngineApi } from './api';
import { createEngine } from './engine';
import { UserError } from './errors';
import { pollAtRest } from './gpu/poll-at-rest';

/** Debian's Chromium brings a software Vulkan driver that Dawn can use as well. */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Dawn frees all its devices once nothing refers to the GPU object: keep it as long as the process. */
let gpu: GPU | undefined;

/** The best adapter that a host has. */
export type AdapterKind = 'gpu' | 'software' | 'none';

/** The best adapter that Dawn finds: a real GPU, a software one, or none. */
export async function probeDawn(): Promise<AdapterKind> {
  const adapter = await (await findGpu())?.requestAdapter();
  if (!adapter) return 'none';
  return isSoftware(adapter.info) ? 'software' : 'gpu';
}

/**
 * The engine in this process.
 * @throws UserError where the package `webgpu` is missing, or finds no driver
 */
export async function createNodeEngine(): Promise<EngineApi> {
  const found = await findGpu();
  if (!found) {
    throw new UserError(
      (await loadDawn())
        ? "Dawn finds no Vulkan driver that it can use: install your GPU's, or Debian's chromium, which brings a software one."
        : 'The package webgpu, which brings WebGPU to Node, is not there or has no build for this platform: npm install webgpu.',
    );
  }
  return createEngine({
    requestAdapter: () => found.requestAdapter({ powerPreference: 'high-performance' }),
  });
}

/** WebGPU as Dawn gives it, with its constants (GPUBufferUsage and others) made global; undefined where there is none. */
export async function findGpu(): Promise<GPU | undefined> {
  if (gpu) return gpu;
  // Mesa's drivers complain on stderr where this is not set.
  process.env.XDG_RUNTIME_DIR ??= tmpdir();
  const dawn = await loadDawn();
  if (!dawn) return undefined;
  Object.assign(globalThis, dawn.globals);
  const chosen = process.env.VK_ICD_FILENAMES ?? process.env.VK_DRIVER_FILES;
  const software = chosen === undefined && existsSync(SWIFTSHADER);
  // Without a GPU Mesa's drivers only complain on stderr, so they are not even asked then.
  if (!software || hasGpuDevice()) gpu = await working(dawn.create([]));
  if (!gpu && software) {
    // The Vulkan loader reads this when Dawn makes its instance, so another one is needed.
    process.env.VK_ICD_FILENAMES = SWIFTSHADER;
    gpu = await working(dawn.create([]));
  }
  return gpu;
}

/** The candidate where it has an adapter; from a software one on, Dawn polls at rest. */
async function working(candidate: GPU): Promise<GPU | undefined> {
  const adapter = await candidate.requestAdapter();
  if (adapter && isSoftware(adapter.info)) pollAtRest();
  return adapter ? candidate : undefined;
}

/** False where Linux shows no device that a real GPU's driver could use. */
function hasGpuDevice(): boolean {
  return (
    process.platform !== 'linux' ||
    ['/dev/dri', '/dev/nvidiactl', '/dev/dxg'].some((path) => existsSync(path))
  );
}

/** Dawn's binding; undefined where it is not installed, and on a platform that it has no build for. */
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
