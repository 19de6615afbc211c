/** Long lists that come as they are scrolled to: a thousand rows at once would stop the page for longer than a click may take. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { count } from './format';

/** Rows or tiles that come at once, none of which is long to draw. */
const AT_ONCE = 60;

/**
 * The first items of a list, and what brings more of them: a button that presses itself when it comes in sight.
 * @param order begins anew when it changes, as when a table is sorted
 * @param atOnce how many come at a time
 */
export function useGradual<Item>(items: readonly Item[], order?: unknown, atOnce = AT_ONCE) {
  const [{ most, of }, set] = useState({ most: atOnce, of: order });
  const shown = of === order ? most : atOnce;
  const left = items.length - shown;
  const onMore = () => set({ most: shown + atOnce, of: order });
  return {
    shown: left > 0 ? items.slice(0, shown) : items,
    more: left > 0 ? <More left={left} onMore={onMore} /> : null,
  };
}

function More({ left, onMore }: { left: number; onMore: () => void }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const observer = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && onMore());
    observer.observe(button.current!);
    return () => observer.disconnect();
    // anew with each list, and where the next rows leave the button in sight
  });
  return (
    <button ref={button} type="button" class="link more-rows" onClick={onMore}>
      {count(left)} more
    </button>
  );
}
