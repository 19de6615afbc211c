/** What single keys do. */
import { signal } from '@preact/signals';
import { explained } from '../explain/opened';
import { keep, readKept } from '../keep';
import { showPlace } from '../place';
import { toggleTheme } from '../theme';

export interface Shortcut {
  key: string;
  does: string;
  act: () => void;
}

const KEY = 'refocus-shortcuts';

/** Whether single keys do anything: for people who speak to their computer, or whose hands slip, they can be switched off. */
export const areOn = signal(readKept(KEY) !== 'off');

export function setShortcuts(isOn: boolean): void {
  areOn.value = isOn;
  keep(KEY, isOn ? 'on' : 'off');
}

export const isSheetOpen = signal(false);

const click = (selector: string) => () => document.querySelector<HTMLElement>(selector)?.click();

export const shortcuts: readonly Shortcut[] = [
  { key: '?', does: 'This sheet', act: () => (isSheetOpen.value = !isSheetOpen.value) },
  { key: '1', does: 'To network and images', act: () => showPlace('#step-1') },
  { key: '2', does: 'To training', act: () => showPlace('#step-2') },
  { key: '3', does: 'To the results', act: () => showPlace('#step-3') },
  { key: '4', does: 'To channel redundancy', act: () => showPlace('#redundancy') },
  { key: '5', does: 'To how it works', act: () => showPlace('#explain') },
  { key: '6', does: 'To the runs', act: () => showPlace('#runs') },
  { key: '7', does: 'To the network’s layers', act: () => showPlace('#network') },
  { key: 's', does: 'Start training', act: click('#start') },
  { key: 'p', does: 'Pause, or go on', act: click('[data-hold]') },
  { key: 'r', does: 'What is RefConv?', act: () => (explained.value = 'about') },
  { key: 't', does: 'The tour', act: click('[data-tour]') },
  { key: 'd', does: 'Dark or light colours', act: toggleTheme },
];

/** Whether the key is meant for what has the focus: a text, a list, a map that is read by keys. */
function isTaken({ target }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable) return true;
  return target.matches('input:not([type=checkbox], [type=radio], [type=file]), textarea, select');
}

/** Follows the keyboard from now on. */
export function followShortcuts(): void {
  document.addEventListener('keydown', (event) => {
    const isChord = event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat;
    if (event.defaultPrevented || isChord || isTaken(event)) return;
    // the sheet itself can always be asked for
    if (!areOn.value && event.key !== '?') return;
    if (document.querySelector('dialog[open]') && event.key !== '?') return;
    const shortcut = shortcuts.find(({ key }) => key === event.key);
    if (!shortcut) return;
    event.preventDefault();
    shortcut.act();
  });
}
