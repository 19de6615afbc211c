/** Parts of the page whose script comes when they are first shown. */
import type { ComponentChild } from 'preact';
import { useEffect, useState } from 'preact/hooks';

type Part<P> = (props: P) => ComponentChild;

/** A part that is loaded when it is first shown; until then nothing stands in its place. */
export function lazy<P extends object>(load: () => Promise<Part<P>>): Part<P> {
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
    ) : null;
  };
}
