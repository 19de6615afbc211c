// Mean and sum of squared deviations of `count` rows.
struct Moments {
  count: f32,
  mean: vec4<f32>,
  m2: vec4<f32>,
}

// The moments of the rows of a and of b together (Chan, Golub, LeVeque 1979).
fn merge(a: Moments, b: Moments) -> Moments {
  if (b.count == 0.0) { return a; }
  let count = a.count + b.count;
  let delta = b.mean - a.mean;
  let share = b.count / count;
  return Moments(count, a.mean + delta * share, a.m2 + b.m2 + delta * delta * (a.count * share));
}
