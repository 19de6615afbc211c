// out_j[i] = sum_s partial_j[s, i] for j = 0 to 3: reduce/sum_splits for four sums at once or fewer, the weight gradients
// of as many layers. Workgroups go to the sums one after the other; THREADSj threads share a vec4 of sum j, as there.
// SHARED: some sum has more than one thread a vec4; without it there is no barrier.
// Taken for the weight gradients of a step by fours: 303 dispatches in the place of 342 (docs/performance.md).
const WG = 64u;
const SHARED: bool = false;
const SUM2: bool = false; // of fewer than four sums the others have SIZEj = 0
const SUM3: bool = false;

struct Sizes {
  SIZE0: u32, // vec4s of out0
  SIZE1: u32,
  SIZE2: u32,
  SIZE3: u32,
  SPLITS0: u32,
  SPLITS1: u32,
  SPLITS2: u32,
  SPLITS3: u32,
  THREADS0: u32, // at most WG
  THREADS1: u32,
  THREADS2: u32,
  THREADS3: u32,
}

@group(0) @binding(0) var<storage, read> partial0: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> partial1: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> partial2: array<vec4<f32>>; //#if SUM2
@group(0) @binding(3) var<storage, read> partial3: array<vec4<f32>>; //#if SUM3
@group(0) @binding(4) var<storage, read_write> out0: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> out1: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> out2: array<vec4<f32>>; //#if SUM2
@group(0) @binding(7) var<storage, read_write> out3: array<vec4<f32>>; //#if SUM3
@group(0) @binding(10) var<uniform> sizes: Sizes;

// What a workgroup is to do of a sum: its first vec4, the end of the sum, threads a vec4.
struct Share {
  sum: u32,
  first: u32,
  size: u32,
  threads: u32,
}

fn share_of(workgroup: u32) -> Share {
  var left = workgroup;
  if (left < groups(sizes.SIZE0, sizes.THREADS0)) { return Share(0u, left * (WG / sizes.THREADS0), sizes.SIZE0, sizes.THREADS0); }
  left -= groups(sizes.SIZE0, sizes.THREADS0);
  if (left < groups(sizes.SIZE1, sizes.THREADS1)) { return Share(1u, left * (WG / sizes.THREADS1), sizes.SIZE1, sizes.THREADS1); }
  left -= groups(sizes.SIZE1, sizes.THREADS1);
  if (left < groups(sizes.SIZE2, sizes.THREADS2)) { return Share(2u, left * (WG / sizes.THREADS2), sizes.SIZE2, sizes.THREADS2); }
  left -= groups(sizes.SIZE2, sizes.THREADS2);
  return Share(3u, left * (WG / sizes.THREADS3), sizes.SIZE3, sizes.THREADS3);
}

// Workgroups for `size` vec4s.
fn groups(size: u32, threads: u32) -> u32 {
  return (size * threads + WG - 1u) / WG;
}

// The sum of every `threads`-th split from `first` on.
fn sum_of(sum: u32, i: u32, first: u32, threads: u32) -> vec4<f32> {
  var total = vec4(0.0);
  switch (sum) {
    case 0u: { for (var s = first; s < sizes.SPLITS0; s += threads) { total += partial0[s * sizes.SIZE0 + i]; } }
    case 1u: { for (var s = first; s < sizes.SPLITS1; s += threads) { total += partial1[s * sizes.SIZE1 + i]; } }
    case 2u: {
      if (SUM2) {
        for (var s = first; s < sizes.SPLITS2; s += threads) { total += partial2[s * sizes.SIZE2 + i]; }
      }
    }
    default: {
      if (SUM3) {
        for (var s = first; s < sizes.SPLITS3; s += threads) { total += partial3[s * sizes.SIZE3 + i]; }
      }
    }
  }
  return total;
}

var<workgroup> shared_sums: array<vec4<f32>, WG>;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let share = share_of(id.x + id.y * workgroups.x);
  let vec4s = WG / share.threads;
  let i = share.first + local % vec4s;
  var sum = vec4(0.0);
  if (i < share.size) { sum = sum_of(share.sum, i, local / vec4s, share.threads); }
  if (SHARED) {
    shared_sums[local] = sum;
    workgroupBarrier();
    for (var t = 1u; t < share.threads; t++) { sum += shared_sums[(local + t * vec4s) % WG]; }
  }
  if (local >= vec4s || i >= share.size) { return; }
  switch (share.sum) {
    case 0u: { out0[i] = sum; }
    case 1u: { out1[i] = sum; }
    case 2u: {
      if (SUM2) { out2[i] = sum; }
    }
    default: {
      if (SUM3) { out3[i] = sum; }
    }
  }
}
