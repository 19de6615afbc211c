/** Canvases that stay drawn. */
import { useEffect, useRef } from 'preact/hooks';

/**
 * A canvas that is drawn again whenever `inputs` change, and when the browser has lost what it showed, as it does when the
 * GPU's process ends.
 */
export function useCanvas(draw: (context: CanvasRenderingContext2D) => void, inputs: readonly unknown[]) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current!;
    const again = () => draw(element.getContext('2d')!);
    again();
    element.addEventListener('contextrestored', again);
    return () => element.removeEventListener('contextrestored', again);
  }, [...inputs]);
  return canvas;
}
