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
  /** what loading a vec4 costs, in vec4 multiply-adds */
  load: number;
  /** the lanes of a quad load weights for each other; the device must have subgroups */
  subgroups: boolean;
  /** matrix products read their operands from workgroup memory, and wait at barriers */
  workgroupMemory: boolean;
}

/** For a GPU: many threads, and 64 registers of sums in each. */
export const GPU_TUNING: Tuning = {
  threads: 16384,
  sums: 16,
  serial: 32,
  sharedSplits: 8,
  load: 4,
  subgroups: false,
  workgroupMemory: false,
};

/** For NVIDIA's GPUs: what each number brings on an H200 is in docs/performance.md. */
export const NVIDIA_TUNING: Tuning = { ...GPU_TUNING, threads: 65536, workgroupMemory: true };

/** For a GPU drawn by the CPU: a few cores, sums spilled to a cache, loads that are gathers, and dear barriers. */
export const SOFTWARE_TUNING: Tuning = {
  threads: 1024,
  sums: 32,
  serial: 512,
  sharedSplits: 1,
  load: 12,
  subgroups: true,
  workgroupMemory: false,
};
