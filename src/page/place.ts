/** Places of the page: how one comes to them. */

/** Milliseconds within which parts that are loaded when they come near have come. */
const SETTLE = 2000;
/** What a user does who wants to go elsewhere. */
const OWN_WAYS = ['wheel', 'touchmove', 'keydown', 'pointerdown'];

let leave = () => {};

/** Brings a place to the window's top, and holds it there while parts above it still come and take more room. */
export function bringToTop(place: Element, behavior: ScrollBehavior = 'auto'): void {
  leave();
  const bring = () => place.scrollIntoView({ block: 'start', behavior });
  const observer = new ResizeObserver(bring);
  const timer = setTimeout(() => leave(), SETTLE);
  leave = () => {
    observer.disconnect();
    clearTimeout(timer);
    for (const type of OWN_WAYS) removeEventListener(type, leave, true);
  };
  for (const type of OWN_WAYS) addEventListener(type, leave, true);
  // it tells the size that the page has now, too, which brings the place there
  observer.observe(document.body);
}

/** Brings a place to the window's top, and the focus to it. */
export function showPlace(selector: string): void {
  const place = document.querySelector<HTMLElement>(selector);
  if (!place) return;
  if (!place.hasAttribute('tabindex')) place.tabIndex = -1;
  bringToTop(place);
  place.focus({ preventScroll: true });
}
