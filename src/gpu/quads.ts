import { shaders } from './wgsl/shaders';

const THREADS = 64;

/**
 * Whether four neighbouring threads of a workgroup can load for each other, as shaders cut with `subgroups` take it for
 * granted: WebGPU says neither which threads make up a quad nor in which order. Asks the device by running such a load, once.
 */
export function sharesQuads(device: GPUDevice): Promise<boolean> {
  let known = answers.get(device);
  if (!known) {
    // what does not compile or run is no reason to fail: the device does without
    known = device.features.has('subgroups') ? probe(device).catch(() => false) : Promise.resolve(false);
    answers.set(device, known);
  }
  return known;
}

const answers = new WeakMap<GPUDevice, Promise<boolean>>();

/** Whether `shaders/probe/quads` gives each thread its four rows. */
async function probe(device: GPUDevice): Promise<boolean> {
  const weights = Float32Array.from({ length: 4 * THREADS }, (_, i) => i);
  // a module that the device rejects would count as the device's failure
  device.pushErrorScope('validation');
  const { code } = shaders.compose('probe/quads', { SUBGROUPS: true });
  const module = device.createShaderModule({ label: 'quads', code });
  const [rows] = await Promise.all([run(device, module, weights), device.popErrorScope()]);
  return rows.every((v, i) => v === weights[rowOf(i >> 2) * 4 + (i & 3)]);
}

/** The row of weights that belongs in a row of the result. */
const rowOf = (row: number): number => (row >> 4) + (THREADS / 4) * (row & 3);

/** Runs one workgroup over `w`; what it writes is four times as large. */
async function run(
  device: GPUDevice,
  module: GPUShaderModule,
  w: Float32Array<ArrayBuffer>,
): Promise<Float32Array<ArrayBuffer>> {
  const size = 4 * w.byteLength;
  const [input, output, staging] = [
    GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
    GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
    GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  ].map((usage) => device.createBuffer({ label: 'quads', size, usage }));
  try {
    device.queue.writeBuffer(input, 0, w);
    const descriptor = { label: 'quads', layout: 'auto', compute: { module } } as const;
    const pipeline = await device.createComputePipelineAsync(descriptor);
    const group = device.createBindGroup({
      label: 'quads',
      layout: pipeline.getBindGroupLayout(0),
      entries: [input, output].map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    const encoder = device.createCommandEncoder({ label: 'quads' });
    const pass = encoder.beginComputePass({ label: 'quads' });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(output, 0, staging, 0, size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    return new Float32Array(staging.getMappedRange().slice(0));
  } finally {
    for (const buffer of [input, output, staging]) buffer.destroy();
  }
}
