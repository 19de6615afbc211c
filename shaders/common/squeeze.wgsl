// The gradient of what a squeeze-and-excitation reads, of `dy` behind its product: dy * gate of the product, and of the pool
// the gradient `pooled` shared among an image's PIXELS rows. gate, pooled [images, C4], vec4s of channels.
//#needs load_gate, pooled, C4, PIXELS
const GATE: bool = false;

// In a row the c-th vec4 of channels.
fn squeezed(dy: vec4<f32>, row: u32, c: u32) -> vec4<f32> {
  if (GATE) {
    let at = row / sizes.PIXELS * sizes.C4 + c;
    return dy * load_gate(at) + pooled[at] / f32(sizes.PIXELS);
  }
  return dy;
}
