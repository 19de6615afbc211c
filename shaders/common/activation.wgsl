// Activations and their derivatives; ACTIVATION picks one (src/ops/activation.ts holds the same numbers).
// Derivatives take the input, as PyTorch's do: relu'(0) = 0, hardswish' and relu6' are 0 at their outer kinks.
const ACTIVATION: u32 = 0u;

fn sigmoid(x: vec4<f32>) -> vec4<f32> {
  return 1.0 / (1.0 + exp(-x));
}

// The normal distribution's function of x, given exp(-x^2 / 2), which the derivative takes too: Abramowitz and Stegun 7.1.26, good to
// 7.5e-8 absolute, as good as f32 sums are.
fn normal_cdf(x: vec4<f32>, e: vec4<f32>) -> vec4<f32> {
  let t = 1.0 / (1.0 + 0.2316418883 * abs(x));
  let tail = e * (t * (0.127414796 + t * (-0.142248368 + t * (0.7107068705 + t * (-0.7265760135 + t * 0.5307027145)))));
  return select(1.0 - tail, tail, x < vec4(0.0));
}

// By exponentials of negative numbers, which never overflow.
fn tanh_of(x: vec4<f32>) -> vec4<f32> {
  let e = exp(-2.0 * abs(x));
  return sign(x) * (1.0 - e) / (1.0 + e);
}

fn softplus(x: vec4<f32>) -> vec4<f32> {
  return max(x, vec4(0.0)) + log(1.0 + exp(-abs(x)));
}

// What tanh is taken of in the GELU by tanh, sqrt(2 / pi) (x + 0.044715 x^3).
fn gelu_inner(x: vec4<f32>) -> vec4<f32> {
  return 0.7978845608 * x * (1.0 + 0.044715 * x * x);
}

fn activate(x: vec4<f32>) -> vec4<f32> {
  switch ACTIVATION {
    case 1u: { return max(x, vec4(0.0)); }
    case 2u: { return clamp(x, vec4(0.0), vec4(6.0)); }
    case 3u: { return x * clamp(x + 3.0, vec4(0.0), vec4(6.0)) / 6.0; }
    case 4u: { return clamp(x + 3.0, vec4(0.0), vec4(6.0)) / 6.0; }
    case 5u: { return x * sigmoid(x); }
    case 6u: { return sigmoid(x); }
    case 7u: { return x * normal_cdf(x, exp(-0.5 * x * x)); }
    case 8u: { return 0.5 * x * (1.0 + tanh_of(gelu_inner(x))); }
    case 9u: { return select(exp(min(x, vec4(0.0))) - 1.0, x, x > vec4(0.0)); }
    case 10u: { return tanh_of(x); }
    case 11u: { return softplus(x); }
    case 12u: { return x * tanh_of(softplus(x)); }
    case 13u: { return min(x, vec4(0.0)); }
    case 14u: { return select(vec4(0.0), inverseSqrt(max(x, vec4(1e-30))), x > vec4(0.0)); }
    default: { return x; }
  }
}

fn activate_derivative(x: vec4<f32>) -> vec4<f32> {
  let one = vec4(1.0);
  let zero = vec4(0.0);
  switch ACTIVATION {
    case 1u: { return select(zero, one, x > zero); }
    case 2u: { return select(zero, one, (x > zero) & (x < vec4(6.0))); }
    case 3u: { return select(select((2.0 * x + 3.0) / 6.0, one, x >= vec4(3.0)), zero, x <= vec4(-3.0)); }
    case 4u: { return select(zero, one / 6.0, (x > vec4(-3.0)) & (x < vec4(3.0))); }
    case 5u: { let s = sigmoid(x); return s * (1.0 + x * (1.0 - s)); }
    case 6u: { let s = sigmoid(x); return s * (1.0 - s); }
    case 7u: { let e = exp(-0.5 * x * x); return normal_cdf(x, e) + 0.3989422804 * x * e; }
    case 8u: {
      let t = tanh_of(gelu_inner(x));
      return 0.5 * (1.0 + t) + 0.3989422804 * x * (1.0 - t * t) * (1.0 + 0.134145 * x * x);
    }
    case 9u: { return exp(min(x, vec4(0.0))); }
    case 10u: { let t = tanh_of(x); return 1.0 - t * t; }
    case 11u: { return sigmoid(x); }
    case 12u: { let t = tanh_of(softplus(x)); return t + x * (1.0 - t * t) * sigmoid(x); }
    case 13u: { return select(zero, one, x < zero); }
    case 14u: { let r = inverseSqrt(max(x, vec4(1e-24))); return select(zero, -0.5 * r * r * r, x > zero); }
    default: { return one; }
  }
}
