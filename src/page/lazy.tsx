/** Parts of the page whose script comes when they are first shown. */
import type { ComponentChild } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

type Part<P> = (props: P) => ComponentChild;

/**
 * A part that is loaded when it is first shown.
 * @param pending stands in its place until then; default: nothing
 */
export function lazy<P extends object>(
  load: () => Promise<Part<P>>,
  pending: ComponentChild = null,
): Part<P> {
  let loaded: Part<P> | undefined;
  return function Lazy(props: P) {
    const [part, setPart] = useState(() => loaded);
    const [isLost, setLost] = useState(false);
    useEffect(() => {
      if (part) return;
      load().then(
        (found) => {
          loaded = found;
          setPart(() => found);
        },
        () => setLost(true),
      );
    }, []);
    const Loaded = part;
    if (Loaded) return <Loaded {...props} />;
    return isLost ? (
      <p class="error">This part of the page did not load: check the connection and reload the page.</p>
    ) : (
      pending
    );
  };
}

/** How far below the window a part may still be when its script is asked for. */
const NEAR = '600px';

interface PanelPlan {
  /** of the place that it stands in, script or not */
  id: string;
  title: string;
  /** stands below the heading as long as there is nothing to show */
  hint: string;
  /** whether there is something to show; reads signals */
  isWanted: () => boolean;
  load: () => Promise<Part<object>>;
}

/**
 * A panel whose script comes when it has something to show and is about to be seen; until then its heading stands in a place
 * about as tall.
 */
export function lazyPanel({ id, title, hint, isWanted, load }: PanelPlan): Part<object> {
  const coming = (
    <section class="panel pending" aria-label={title}>
      <h2>{title}</h2>
    </section>
  );
  const Panel = lazy(load, coming);
  return function LazyPanel() {
    const place = useRef<HTMLDivElement>(null);
    const [isNear, setNear] = useState(false);
    const isThere = isWanted();
    useEffect(() => {
      const observer = new IntersectionObserver(
        (entries) => {
          if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
          observer.disconnect();
          setNear(true);
        },
        { rootMargin: NEAR },
      );
      if (isThere) observer.observe(place.current!);
      return () => observer.disconnect();
    }, [isThere]);
    return (
      <div ref={place} class="panel-place" id={id} tabIndex={-1}>
        {isThere ? (
          isNear ? (
            <Panel />
          ) : (
            coming
          )
        ) : (
          <section class="panel" aria-label={title}>
            <h2>{title}</h2>
            <p class="hint">{hint}</p>
          </section>
        )}
      </div>
    );
  };
}
