import { isValidElement, type VNode } from 'preact';
import { expect, test, vi } from 'vitest';

vi.mock('preact/hooks', async (original) => ({
  ...(await original<object>()),
  useState: (value: unknown) => [value, () => {}],
}));
vi.stubGlobal('location', { hash: '', origin: 'https://refocus.example', pathname: '/' });
vi.stubGlobal('requestAnimationFrame', () => {});

/** All elements of a tree. */
const within = (node: unknown): VNode<Record<string, unknown>>[] =>
  Array.isArray(node)
    ? node.flatMap(within)
    : isValidElement(node)
      ? [node as VNode<Record<string, unknown>>, ...within(node.props.children)]
      : [];

function press(tree: unknown, label: string): void {
  const button = within(tree).find(({ type, props }) => type === 'button' && props.children === label);
  (button!.props.onClick as () => void)();
}

test('a lesson is tried as it is taught, also after its form was brought back', async () => {
  const { LessonForm } = await import('../../../src/page/lesson/form');
  const { isTaught, LessonCard } = await import('../../../src/page/lesson/card');
  const { config } = await import('../../../src/page/settings/config');
  config.value = { ...config.value, lesson: { task: 'Train it.', hide: ['runs'] } };
  expect(isTaught.value).toBe(true);
  press(LessonCard(), 'Show the whole page');
  expect(isTaught.value).toBe(false);
  press(LessonForm(), 'Try it here');
  expect(isTaught.value).toBe(true);
});
