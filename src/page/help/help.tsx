/** The head's ways to an explanation. */
import { explained } from '../explain/opened';
import { lazy } from '../lazy';
import { areOn, isSheetOpen } from './shortcuts';
import { beginTour, tourAt, tourOffer } from './tour-state';

const Tour = lazy(async () => (await import('./tour')).Tour);
const ShortcutSheet = lazy(async () => (await import('./sheet')).ShortcutSheet);

export function Help() {
  return (
    <nav class="help row" aria-label="Help">
      <button type="button" class="button small" data-tour onClick={beginTour}>
        {tourOffer()}
      </button>
      <button
        type="button"
        class="button small"
        onClick={() => {
          explained.value = 'about';
        }}
      >
        What is RefConv?
      </button>
      <button
        type="button"
        class="button small"
        aria-keyshortcuts={areOn.value ? '?' : undefined}
        onClick={() => {
          isSheetOpen.value = true;
        }}
      >
        <span aria-hidden="true">?</span>
        <span class="sr-only">Keyboard shortcuts</span>
      </button>
      {tourAt.value !== undefined && <Tour />}
      {isSheetOpen.value && <ShortcutSheet />}
    </nav>
  );
}
