/** The sheet of shortcuts. */
import { useEffect, useRef } from 'preact/hooks';
import { areOn, isSheetOpen, setShortcuts, shortcuts } from './shortcuts';

const inPlaces: readonly [keys: string, does: string][] = [
  ['Tab, Shift Tab', 'From control to control; the one with the focus is outlined'],
  ['Arrow keys', 'In a redundancy map from pair to pair, with Shift ten at a time'],
  ['Esc', 'Leaves the tour or a dialog'],
  ['Ctrl V', 'Takes pasted files and pictures'],
];

export function ShortcutSheet() {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = isSheetOpen.value;
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog
      ref={dialog}
      class="sheet"
      aria-labelledby="sheet-title"
      onClose={() => {
        isSheetOpen.value = false;
      }}
    >
      <h2 id="sheet-title">Keyboard</h2>
      <dl>
        {shortcuts.map(({ key, does }) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
        {inPlaces.map(([keys, does]) => (
          <div key={keys}>
            <dt>{keys}</dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label>
        <input
          type="checkbox"
          checked={areOn.value}
          onChange={({ currentTarget }) => setShortcuts(currentTarget.checked)}
        />{' '}
        Single keys do this
      </label>
      <div class="row">
        <button type="button" class="button small primary" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  );
}
