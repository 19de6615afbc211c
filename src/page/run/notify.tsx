/** A notification when a run ends, where the user has asked for one. */
import { effect, signal } from '@preact/signals';
import { isUnderWay, phase, status } from './state';

/** what the browser allows; undefined where it has no notifications */
const permission = signal(globalThis.Notification?.permission);

/** Tells the end of a run where nobody looks at the page. */
export function followEnd(): void {
  let wasBusy = false;
  effect(() => {
    // several runs end when the last one does
    const isOver = wasBusy && !isUnderWay.value;
    wasBusy = isUnderWay.value;
    if (isOver && document.hidden && permission.value === 'granted' && status.value !== 'idle') tell();
  });
}

function tell(): void {
  const title = status.value === 'failed' ? 'Refocus: the run failed' : 'Refocus: the run has ended';
  try {
    const notice = new Notification(title, { body: phase.peek(), tag: 'refocus-run' });
    notice.onclick = () => {
      window.focus();
      notice.close();
    };
  } catch {
    // Chrome on Android has them for service workers alone
  }
}

/** Asks for the permission, by a click alone. */
export function NotifyButton() {
  if (permission.value === undefined || permission.value === 'denied') return null;
  if (permission.value === 'granted')
    return <p class="hint">A notification tells the end of the run when the page is out of sight.</p>;
  return (
    <button
      type="button"
      class="link"
      onClick={async () => {
        permission.value = await Notification.requestPermission();
      }}
    >
      Notify me when it ends
    </button>
  );
}
