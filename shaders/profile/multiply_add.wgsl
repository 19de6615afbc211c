// y = a, after ROUNDS rounds of a = a * s + t in each of eight vec4 accumulators a thread: 64 * ROUNDS operations on
// registers, eight independent chains to hide latency. Measures the device's arithmetic rate. x holds one vec4 a thread.
//#import common/global_index
const WG = 64u;
const SIZE: u32 = 1u; //#required // threads
const ROUNDS: u32 = 1u; //#required

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= SIZE) { return; }
  // The factors are read from memory, so that no compiler can compute the result.
  let s = x[i];
  let t = s.yzwx;
  var a0 = s + 1.0;
  var a1 = s + 2.0;
  var a2 = s + 3.0;
  var a3 = s + 4.0;
  var a4 = s + 5.0;
  var a5 = s + 6.0;
  var a6 = s + 7.0;
  var a7 = s + 8.0;
  for (var round = 0u; round < ROUNDS; round++) {
    a0 = fma(a0, s, t);
    a1 = fma(a1, s, t);
    a2 = fma(a2, s, t);
    a3 = fma(a3, s, t);
    a4 = fma(a4, s, t);
    a5 = fma(a5, s, t);
    a6 = fma(a6, s, t);
    a7 = fma(a7, s, t);
  }
  y[i] = ((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7));
}
