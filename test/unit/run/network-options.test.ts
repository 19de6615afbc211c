import { expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { architectureNames } from '../../../src/model/zoo';
import { type NetworkOptionName, networkFields, parseNetworkOptions } from '../../../src/run/network-options';

test.each<[NetworkOptionName, unknown[], unknown[]]>([
  ['arch', ['resnet20_cifar'], ['', 3]],
  ['width', [0.01, 16, '0.35'], [0, 16.1, 'wide']],
  ['stemStride', [1, 2], [0, 3]],
  ['classes', [1, 100_000], [0, 100_001, 1.5]],
  ['kwargs', [{ dropout: 0 }], [[1], '3', 'null']],
  ['state', ['model_ema'], ['']],
])('%s takes what it says', (name, takes, refuses) => {
  for (const value of takes) {
    const expected = typeof value === 'string' && name === 'width' ? Number(value) : value;
    expect(parseNetworkOptions({ [name]: value })).toEqual({ [name]: expected });
  }
  for (const value of refuses)
    expect(() => parseNetworkOptions({ [name]: value }), `${value}`).toThrow(UserError);
});

test('what is left out stays out', () => {
  expect(parseNetworkOptions({})).toEqual({});
  expect(parseNetworkOptions({ width: undefined })).toEqual({});
});

test('other names are refused', () => {
  expect(() => parseNetworkOptions({ depth: 3 })).toThrow(UserError);
  expect(() => parseNetworkOptions(JSON.parse('{"__proto__": 3}'))).toThrow(UserError);
  for (const input of [null, 3, 'arch=a', []]) expect(() => parseNetworkOptions(input)).toThrow(UserError);
});

test('a form offers every architecture', () => {
  expect(networkFields.arch.choices!.map(({ value }) => value)).toEqual(architectureNames());
});

test('a refusal says what is expected, a help text how it is written', () => {
  const { expects, placeholder } = networkFields.state;
  expect([expects, placeholder]).toEqual(['the name of a state dict', 'NAME']);
  expect(() => parseNetworkOptions({ arch: '' }, (name) => `--${name}`)).toThrow(
    `--arch must be an architecture's name, not "".`,
  );
});
