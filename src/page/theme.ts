/** Light or dark: the system's wish until the user says otherwise. */
import { effect, signal } from '@preact/signals';
import { keep, readKept } from './keep';

export type Theme = 'light' | 'dark';

const KEY = 'refocus-theme';
const system = matchMedia('(prefers-color-scheme: dark)');
const chosen = signal(readKept(KEY));

export const theme = signal<Theme>('light');

function update(): void {
  const wish = chosen.value ?? (system.matches ? 'dark' : 'light');
  theme.value = wish === 'dark' ? 'dark' : 'light';
}

export function followTheme(): void {
  system.addEventListener('change', update);
  effect(update);
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
  });
}

export function toggleTheme(): void {
  chosen.value = theme.value === 'dark' ? 'light' : 'dark';
  keep(KEY, chosen.value);
}

/** A colour of the current theme as canvases take it; `name` is a custom property without its dashes. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
