/** What lowering wants to know of a device. The same tuning gives the same plan, and on one adapter the same bits. */
export interface Tuning {
  /** threads that fill the device: work is cut no finer */
  threads: number;
  /** vec4 sums that a thread of a matrix product keeps at most: more save loads, as far as registers reach */
  sums: number;
  /** numbers that one thread adds before it pays to share them among sixteen and wait at a barrier */
  serial: number;
  /** splits of a weight's gradient that a workgroup adds, at a barrier, before it writes their sum: a power of two up to 64; 1 waits for none */
  sharedSplits: number;
  /** vec4s that a product's kernel writes in a turn of a loop at most: fewer are a shorter text, which compiles sooner */
  written: number;
  /** what loading a vec4 costs, in vec4 multiply-adds */
  load: number;
  /** the lanes of a quad load weights for each other; the device must have subgroups */
  subgroups: boolean;
  /** matrix products read their operands from workgroup memory, and wait at barriers */
  workgroupMemory: boolean;
  /** exponentials are dearer than memory: an activation made of them is stored, where its readers could compute it again */
  storesExponentials: boolean;
}

/** A thread that may keep so many vec4 sums is known to spill them, to a cache that is near: tiles past its registers pay. */
export const SPILLED_SUMS = 32;

/** For a GPU: many threads, and 64 registers of sums in each. */
export const GPU_TUNING: Tuning = {
  threads: 16384,
  sums: 16,
  serial: 32,
  sharedSplits: 8,
  written: 256,
  load: 4,
  subgroups: false,
  workgroupMemory: false,
  storesExponentials: false,
};

/** For NVIDIA's GPUs: what each number brings on an H200 is in docs/performance.md. */
export const NVIDIA_TUNING: Tuning = { ...GPU_TUNING, threads: 65536, workgroupMemory: true };

/**
 * For AMD's GPUs; not measured. rocBLAS's kernels stage their operands in a compute unit's 64 KiB of workgroup memory, as those for
 * NVIDIA's do, where it paid. An adapter does not tell a card from a part of a processor, so that threads stay those of a small GPU.
 */
const AMD_TUNING: Tuning = { ...GPU_TUNING, workgroupMemory: true };

/**
 * For Intel's and Apple's GPUs, with half of the sums; not measured. Intel's compiler chooses subgroups of 8, 16 or 32, which share 128
 * registers of 32 bytes: at 16 the sums of other GPUs would be all of them. A thread of Apple's has about 52 registers while a core
 * is full, and tiles of 64 sums have been seen to spill.
 */
const FEWER_SUMS: Tuning = { ...GPU_TUNING, sums: 8 };

/**
 * For the GPUs of phones, Arm's and Qualcomm's; not measured. A thread of Arm's has 32 registers while a core is full and never more than
 * 64; its workgroup memory is ordinary memory behind the same cache, so that little is saved by adding splits there; cores are few.
 */
const MOBILE_TUNING: Tuning = { ...GPU_TUNING, threads: 4096, sums: 4, sharedSplits: 1 };

/** For a GPU drawn by the CPU: a few cores, sums spilled to a cache, loads that are gathers, and dear barriers. */
export const SOFTWARE_TUNING: Tuning = {
  threads: 1024,
  sums: SPILLED_SUMS,
  serial: 8192,
  sharedSplits: 1,
  written: 8,
  load: 12,
  subgroups: true,
  workgroupMemory: false,
  storesExponentials: true,
};

/** Classes of devices by the vendor that an adapter tells (`GPUAdapterInfo.vendor`); any other is taken for a GPU like others. */
export const TUNINGS_BY_VENDOR: ReadonlyMap<string, Tuning> = new Map([
  ['nvidia', NVIDIA_TUNING],
  ['amd', AMD_TUNING],
  ['intel', FEWER_SUMS],
  ['apple', FEWER_SUMS],
  ['arm', MOBILE_TUNING],
  ['qualcomm', MOBILE_TUNING],
]);

/** How plans are cut for a device, unless it is told otherwise. */
export const tuningFor = (vendor: string, software: boolean): Tuning =>
  software ? SOFTWARE_TUNING : (TUNINGS_BY_VENDOR.get(vendor.toLowerCase()) ?? GPU_TUNING);
