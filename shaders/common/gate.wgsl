// One number a channel and image that a 1x1 convolution multiplies what it reads with: the gate of a squeeze-and-excitation,
// or the scale of a response norm, whose shift is added (GATE_SHIFT). gate [images, C4] vec4s, or [images, 2, C4] of scales and
// shifts; an image is PIXELS rows.
//#needs load_gate, PIXELS
const GATE: bool = false;
const GATE_SHIFT: bool = false; // with GATE only

// Where the gates of a row begin, whose channels are c4 vec4s.
fn gates_of(row: u32, c4: u32) -> u32 {
  if (GATE_SHIFT) { return row / sizes.PIXELS * 2u * c4; }
  if (GATE) { return row / sizes.PIXELS * c4; }
  return 0u;
}

// The c-th of the row's c4 vec4s.
fn gated(v: vec4<f32>, gates: u32, c: u32, c4: u32) -> vec4<f32> {
  if (GATE_SHIFT) { return v * load_gate(gates + c) + load_gate(gates + c4 + c); }
  if (GATE) { return v * load_gate(gates + c); }
  return v;
}
