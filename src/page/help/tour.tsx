/** The guided tour: a card at the window's edge, and an outline around what it speaks of. */
import { useEffect, useRef } from 'preact/hooks';
import { bringToTop } from '../place';
import { endTour, goTo, STOPS, tourAt } from './tour-state';
import { tourSteps } from './tour-steps';

/** The first of the targets that can be seen at all: a lesson may hide some. */
function targetOf(step: number): HTMLElement | undefined {
  const found = tourSteps[step].targets.map((selector) => document.querySelector<HTMLElement>(selector));
  return found.find((element) => element !== null && element.getClientRects().length > 0) ?? undefined;
}

function bringIntoSight(target: HTMLElement): void {
  const { top, bottom } = target.getBoundingClientRect();
  // what is in sight, as the run's bar always is, stays where it is
  if (top >= 0 && bottom <= innerHeight) return;
  const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  bringToTop(target, isCalm ? 'instant' : 'smooth');
}

export function Tour() {
  const at = tourAt.value;
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (at === undefined) return;
    const target = targetOf(at);
    target?.classList.add('tour-target');
    if (target) bringIntoSight(target);
    title.current?.focus({ preventScroll: true });
    return () => target?.classList.remove('tour-target');
  }, [at]);
  // wherever the focus is: the page beside the tour can be used meanwhile
  useEffect(() => {
    const end = (event: KeyboardEvent) => {
      const isMeant = !event.defaultPrevented && !document.querySelector('dialog[open]');
      if (event.key === 'Escape' && isMeant) endTour();
    };
    document.addEventListener('keydown', end);
    return () => document.removeEventListener('keydown', end);
  }, []);
  if (at === undefined) return null;
  const { title: name, text } = tourSteps[at];
  const isLast = at === STOPS - 1;
  return (
    <div
      class="tour"
      role="dialog"
      aria-labelledby="tour-title"
      aria-describedby="tour-text"
      onKeyDown={(event) => {
        if (event.key === 'ArrowRight' && !isLast) goTo(at + 1);
        else if (event.key === 'ArrowLeft' && at > 0) goTo(at - 1);
        else return;
        event.preventDefault();
      }}
    >
      <h2 id="tour-title" ref={title} tabIndex={-1}>
        {name}
      </h2>
      <p id="tour-text">{text}</p>
      <div class="row">
        <button type="button" class="button small" disabled={at === 0} onClick={() => goTo(at - 1)}>
          Back
        </button>
        <button
          type="button"
          class="button small primary"
          onClick={() => (isLast ? endTour() : goTo(at + 1))}
        >
          {isLast ? 'Done' : 'Next'}
        </button>
        <span class="hint">
          {at + 1} of {STOPS}
        </span>
        {!isLast && (
          <button type="button" class="link" onClick={endTour}>
            Leave the tour
          </button>
        )}
      </div>
    </div>
  );
}
