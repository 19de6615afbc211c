// Counter-based random bits: no state, the same four numbers give the same bits on every device (test/reference/rng.ts is its twin).
// The hash is PCG's 32-bit RXS-M-XS step (O'Neill 2014; as a hash: Jarzynski and Olano 2020), chained over the key.
fn pcg(v: u32) -> u32 {
  let state = v * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

fn random_u32(a: u32, b: u32, c: u32, d: u32) -> u32 {
  return pcg(d + pcg(c + pcg(b + pcg(a))));
}
