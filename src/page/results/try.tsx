/** Try your own image: the part's face; what predicts comes when it is opened. */
import { effect, signal } from '@preact/signals';
import { pictures } from '../input/take';
import { lazy } from '../lazy';

const isOpen = signal(false);

// pictures that were dropped open it
effect(() => {
  if (pictures.value.length > 0) isOpen.value = true;
});

const TryPanel = lazy(async () => (await import('./try-panel')).TryPanel);

export function TryImages() {
  return (
    <details
      class="try"
      open={isOpen.value}
      onToggle={(event) => {
        isOpen.value = event.currentTarget.open;
      }}
    >
      <summary>
        <h3>Try your own image</h3>
      </summary>
      {isOpen.value && <TryPanel />}
    </details>
  );
}
