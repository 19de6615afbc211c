// (m Gram)[t, i, o4] = sum_s m[s, i, o] * gram[group(o, i), s, t], a vec4 over o, where m is [TAPS, IP, O4] vec4s.
// Plane n = o * I + i belongs to the map group n / P; gram is [groups, TAPS, ROW], or one matrix for all when ONE_GRAM.
//#needs m, gram, TAPS, ROW, I, IP, O, O4, P
const ONE_GRAM: bool = true; //#required

fn times_gram(t: u32, i: u32, o4: u32) -> vec4<f32> {
  var sum = vec4(0.0);
  if (i >= sizes.I) { return sum; }
  if (ONE_GRAM) {
    for (var s = 0u; s < sizes.TAPS; s++) { sum += m[(s * sizes.IP + i) * sizes.O4 + o4] * gram[s * sizes.ROW + t]; }
    return sum;
  }
  // Padding channels take the last group's matrix, which is harmless: what they multiply is zero.
  let o = min(vec4(o4 * 4u) + vec4(0u, 1u, 2u, 3u), vec4(sizes.O - 1u));
  let base = (o * sizes.I + i) / sizes.P * (sizes.TAPS * sizes.ROW) + t;
  for (var s = 0u; s < sizes.TAPS; s++) {
    let at = base + s * sizes.ROW;
    sum += m[(s * sizes.IP + i) * sizes.O4 + o4] * vec4(gram[at.x], gram[at.y], gram[at.z], gram[at.w]);
  }
  return sum;
}
