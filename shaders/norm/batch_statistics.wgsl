// partial[b, 0, c] = mean, partial[b, 1, c] = M2 = sum of squared deviations of x[row, c] over the b-th block of ROWS_PER_BLOCK rows.
// One vec4 of channels of one block a thread; neighbouring threads read neighbouring memory at each step of the loop.
// Sums are of x - x[first, c]: a row of the data as shift keeps the squares small where the mean is far from zero.
// Taken where the producer of x does not write statistics itself. Where it does, a step takes 490 dispatches and 459 MB in
// the place of 542 and 483 (docs/performance.md).
//#import common/global_index
const WG = 64u;

struct Sizes {
  ROWS: u32,
  C4: u32, // vec4s a row
  X_PITCH: u32, // of a row where x lies
  BLOCKS: u32, // ceil(ROWS / ROWS_PER_BLOCK)
  ROWS_PER_BLOCK: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read_write> partial: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.BLOCKS * sizes.C4) { return; }
  let c = i % sizes.C4;
  let block = i / sizes.C4;
  let first = block * sizes.ROWS_PER_BLOCK;
  let end = min(first + sizes.ROWS_PER_BLOCK, sizes.ROWS);
  let shift = load_x(first * sizes.X_PITCH + c);
  var sum = vec4(0.0);
  var squares = vec4(0.0);
  for (var row = first; row < end; row++) {
    let d = load_x(row * sizes.X_PITCH + c) - shift;
    sum += d;
    squares += d * d;
  }
  let count = f32(end - first);
  let mean = sum / count;
  partial[2u * block * sizes.C4 + c] = shift + mean;
  partial[(2u * block + 1u) * sizes.C4 + c] = max(squares - sum * mean, vec4(0.0));
}
