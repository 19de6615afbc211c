// out = how many vec4s of x hold a number that is infinite or NaN, in its first component. One workgroup takes all of x.
// The bits tell: a compiler may take for granted that no number is NaN, and drop a comparison.
const WG = 256u;

struct Sizes {
  SIZE: u32, // vec4s
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

// all bits of a float32's exponent
const EXPONENT = vec4(0x7f800000u);

var<workgroup> found: atomic<u32>;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) thread: u32) {
  var mine = 0u;
  for (var i = thread; i < sizes.SIZE; i += WG) {
    if (any((bitcast<vec4<u32>>(load_x(i)) & EXPONENT) == EXPONENT)) { mine++; }
  }
  atomicAdd(&found, mine);
  workgroupBarrier();
  if (thread == 0u) { out[0] = vec4(f32(atomicLoad(&found)), 0.0, 0.0, 0.0); }
}
