// rows[4 * t + j] = w[t / 4 + 16 * j], j < 4, as thread t of 64 gets them from load_weights: with SUBGROUPS right only where
// threads 4n to 4n + 3 are a quad of the device, in this order, and a quad's broadcast works.
//#import common/weights
const WG = 64u;

@group(0) @binding(0) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> rows: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) thread: u32) {
  let weights = load_weights(thread / 4u, WG / 4u, thread % 4u);
  for (var j = 0u; j < 4u; j++) { rows[4u * thread + j] = weights[j]; }
}
