import type { Activation } from '../../../ops/activation';
import type { GraphWriter } from './writer';

/** An activation of the value x, by the operators that opset 17 has for it. */
export function activation(w: GraphWriter, kind: Activation, name: string, x: string): string {
  const constant = (value: number) => w.numbers(String(value), [value]);
  switch (kind) {
    case 'none':
      return x;
    case 'relu':
      return w.node('Relu', name, [x]);
    case 'relu6':
      return w.node('Clip', name, [x, constant(0), constant(6)]);
    case 'hardswish':
      return w.node('HardSwish', name, [x]);
    case 'hardsigmoid':
      return w.node('HardSigmoid', name, [x], { alpha: 1 / 6, beta: 0.5 });
    case 'silu':
      return w.node('Mul', name, [x, w.node('Sigmoid', `${name}.sigmoid`, [x])]);
    case 'sigmoid':
      return w.node('Sigmoid', name, [x]);
    case 'gelu': {
      const scaled = w.node('Div', `${name}.scaled`, [x, constant(Math.SQRT2)]);
      const erf = w.node('Erf', `${name}.erf`, [scaled]);
      const gate = w.node('Add', `${name}.gate`, [erf, constant(1)]);
      const doubled = w.node('Mul', `${name}.doubled`, [x, gate]);
      return w.node('Mul', name, [doubled, constant(0.5)]);
    }
    case 'gelu_tanh': {
      const cube = w.node('Pow', `${name}.cube`, [x, constant(3)]);
      const part = w.node('Mul', `${name}.part`, [cube, constant(0.044715)]);
      const sum = w.node('Add', `${name}.sum`, [x, part]);
      const inner = w.node('Mul', `${name}.inner`, [sum, constant(Math.sqrt(2 / Math.PI))]);
      const gate = w.node('Add', `${name}.gate`, [w.node('Tanh', `${name}.tanh`, [inner]), constant(1)]);
      const doubled = w.node('Mul', `${name}.doubled`, [x, gate]);
      return w.node('Mul', name, [doubled, constant(0.5)]);
    }
    case 'elu':
      return w.node('Elu', name, [x]);
    case 'tanh':
      return w.node('Tanh', name, [x]);
    case 'softplus':
      return w.node('Softplus', name, [x]);
    case 'mish': {
      const gate = w.node('Tanh', `${name}.tanh`, [w.node('Softplus', `${name}.softplus`, [x])]);
      return w.node('Mul', name, [x, gate]);
    }
    case 'negative':
      return w.node('Min', name, [x, constant(0)]);
    case 'rsqrt':
      return w.node('Reciprocal', name, [w.node('Sqrt', `${name}.root`, [x])]);
  }
}
