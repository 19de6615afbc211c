// Mixup and CutMix of a batch: out[n] = mix(x[p], x[n], share) with p the row before n (the last of step.rows before the first), or x[p] in
// the box and x[n] around it; which of the two, share and box are those of data/draw. Rows from step.rows on are copied.
// One pixel a thread.
//#import common/step
//#import common/global_index
const WG = 64u;

struct Sizes {
  N: u32,
  H: u32,
  W: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read> mix_of: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>; //#f16
@group(0) @binding(5) var<uniform> step: Step;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  let size = sizes.H * sizes.W;
  if (index >= sizes.N * size) { return; }
  let n = index / size;
  let rows = min(step.rows, sizes.N);
  var own = load_x(index);
  if (n < rows) {
    let other = load_x((n + rows - 1u) % rows * size + index % size);
    let place = vec2(f32(index / sizes.W % sizes.H), f32(index % sizes.W));
    let box = mix_of[1];
    let inside = all(place >= box.xy) && all(place < box.xy + box.zw);
    let share = select(mix_of[0].y, select(1.0, 0.0, inside), mix_of[0].x == 2.0);
    own = mix(other, own, share);
  }
  store_out(index, own);
}
