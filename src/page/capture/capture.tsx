/** The way to a set of one's own making: what makes it comes when it is opened, or where an earlier page has kept one. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { lazy } from '../lazy';
import { hasPictures, PICTURES } from './store';

const isOpen = signal(false);

const CapturePanel = lazy(async () => (await import('./capture-panel')).CapturePanel);

export function Capture() {
  useEffect(() => {
    isKept().then((found) => {
      if (found) isOpen.value = true;
    });
  }, []);
  return (
    <details
      class="capture-fold"
      open={isOpen.value}
      onToggle={(event) => {
        isOpen.value = event.currentTarget.open;
      }}
    >
      <summary>No images yet? Make a set with the camera, class by class</summary>
      {isOpen.value && <CapturePanel />}
    </details>
  );
}

/** Whether an earlier page has kept a set with pictures. */
async function isKept(): Promise<boolean> {
  try {
    // asking a database that is not there makes it
    const known = await indexedDB.databases?.();
    if (known && !known.some(({ name }) => name === PICTURES)) return false;
    return await hasPictures();
  } catch {
    return false;
  }
}
