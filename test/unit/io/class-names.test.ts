import { expect, test } from 'vitest';
import { findClasses } from '../../../src/io/pytorch/class-names';
import { type PickleValue, Placeholder } from '../../../src/io/pytorch/pickle-values';

const dict = (items: Record<string, PickleValue>) => new Map<PickleValue, PickleValue>(Object.entries(items));
const names = (items: Record<string, PickleValue>) => findClasses(dict(items)).map((found) => found.names);

test('names by number, numbers by name and lists are found, in the order of the rows', () => {
  const expected = [['zebra', 'ant', 'cow']];
  expect(names({ class_to_idx: dict({ ant: 1, cow: 2, zebra: 0 }) })).toEqual(expected);
  const byRow = new Map<PickleValue, PickleValue>([
    [2, 'cow'],
    [0, 'zebra'],
    [1, 'ant'],
  ]);
  expect(names({ idx_to_class: byRow })).toEqual(expected);
  expect(names({ id2label: dict({ 0: 'zebra', 1: 'ant', 2: 'cow' }) })).toEqual(expected);
  expect(names({ names: byRow })).toEqual(expected);
  expect(names({ meta: dict({ CLASSES: ['zebra', 'ant', 'cow'] }) })).toEqual(expected);
  const unknown = new Placeholder('mmengine.Config', []);
  unknown.items = dict({ class_names: ['zebra', 'ant', 'cow'] });
  expect(names({ hyper_parameters: unknown })).toEqual(expected);
});

test.each<[string, PickleValue]>([
  ['a row twice', dict({ ant: 0, bee: 0 })],
  ['a row that is not there', dict({ ant: 0, bee: 2 })],
  ['a row below zero', dict({ ant: -1, bee: 0 })],
  ['no number', dict({ ant: 'x', bee: 1 })],
  ['no names', dict({})],
])('%s names nothing', (_, value) => {
  expect(findClasses(dict({ class_to_idx: value }))).toEqual([]);
});

test('neither do lists of other things, names that are there twice, and what holds itself', () => {
  expect(names({ classes: [1, 2], labels: ['ant', 'ant'] })).toEqual([]);
  const round = dict({});
  round.set('again', round);
  expect(findClasses(round)).toEqual([]);
});
