import { DeviceLost, NoWebGpu, UserError } from '../errors';
import { type Tuning, tuningFor } from '../graph/tuning';
import { sharesQuads } from './quads';

export interface Gpu {
  device: GPUDevice;
  /** what the adapter calls itself */
  name: string;
  /** drawn by the CPU: no watchdog, no timestamps worth reading */
  software: boolean;
  /** how plans for it are cut */
  tuning: Tuning;
  /** set when the device is lost or reports an error; checked at every read-back */
  failure: { error?: Error };
}

/** How to come by an adapter; a host with several of its own choosing passes another. */
export type RequestAdapter = () => Promise<GPUAdapter | null>;

/** Asks for a device with what the adapter can give of memory. Each way in which WebGPU can be missing has its words. */
export async function requestGpu(request: RequestAdapter = browserAdapter): Promise<Gpu> {
  const adapter = await findAdapter(request);
  const { limits, info, features } = adapter;
  const device = await adapter
    .requestDevice({
      label: 'refocus',
      requiredFeatures: (['timestamp-query', 'shader-f16', 'subgroups'] as GPUFeatureName[]).filter((f) =>
        features.has(f),
      ),
      requiredLimits: {
        maxBufferSize: limits.maxBufferSize,
        maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
        maxStorageBuffersPerShaderStage: Math.min(limits.maxStorageBuffersPerShaderStage, 10),
      },
    })
    .catch((e) => {
      throw new NoWebGpu(
        `The GPU's driver refused a WebGPU device (${e.message}): update the driver or restart the browser.`,
      );
    });
  const name =
    [info.vendor, info.architecture, info.description].filter(Boolean).join(' ') || 'unnamed adapter';
  const software = info.isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe|software/i.test(name);
  const failure: Gpu['failure'] = {};
  // nothing here destroys a device: where one is destroyed, it is lost all the same
  device.lost.then(({ reason, message }) => {
    failure.error ??= new DeviceLost(
      `The GPU was lost (${message || reason}): what was saved is kept; start the run again.`,
    );
  });
  device.addEventListener('uncapturederror', (event) => {
    failure.error ??= new Error(`WebGPU: ${event.error.message}`);
  });
  const tuning = tuningFor(info.vendor, software);
  const subgroups = tuning.subgroups && (await sharesQuads(device));
  return { device, name, software, tuning: { ...tuning, subgroups }, failure };
}

async function browserAdapter(): Promise<GPUAdapter | null> {
  const gpu = globalThis.navigator?.gpu;
  if (!gpu) {
    throw new NoWebGpu(
      globalThis.isSecureContext === false
        ? 'WebGPU is hidden because this page was not loaded over https or from localhost: open it there.'
        : 'This browser has no WebGPU (navigator.gpu is missing): use Chrome or Edge 113, Safari 26 or Firefox 141, or later.',
    );
  }
  return gpu.requestAdapter({ powerPreference: 'high-performance' });
}

async function findAdapter(request: RequestAdapter): Promise<GPUAdapter> {
  let adapter: GPUAdapter | null;
  try {
    adapter = await request();
  } catch (e) {
    if (e instanceof UserError) throw e;
    throw new NoWebGpu(
      `Asking for a GPU failed (${(e as Error).message}): restart the browser and try again.`,
    );
  }
  if (!adapter) {
    throw new NoWebGpu(
      'WebGPU is there but found no GPU (requestAdapter gave null): enable hardware acceleration, or update the graphics driver.',
    );
  }
  return adapter;
}

/**
 * Throws the device's failure where there is one, else the error that a call on it ended with: a lost device fails its
 * calls first, and its promise may settle a turn later.
 */
export async function throwFailure(gpu: Gpu, error: unknown): Promise<never> {
  await Promise.race([gpu.device.lost, new Promise((resolve) => setTimeout(resolve, 50))]);
  checkGpu(gpu);
  throw error;
}

/** Throws what went wrong on the device since it was made, if anything. */
export function checkGpu(gpu: Gpu): void {
  if (gpu.failure.error) throw gpu.failure.error;
}

/** Throws where the device cannot read and write f16. */
export function requireHalves({ device, name }: Gpu): void {
  if (!device.features.has('shader-f16'))
    throw new UserError(
      `This GPU (${name}) has no 16-bit floats in shaders (WebGPU's feature shader-f16): choose storage f32.`,
    );
}
