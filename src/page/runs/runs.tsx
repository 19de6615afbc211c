/** The runs that are kept: the part's face. What shows them comes with the first run. */
import { lazy } from '../lazy';
import { entries, strangers } from '../saved/entries';

const RunsPanel = lazy(async () => (await import('./runs-panel')).RunsPanel);

export function Runs() {
  return entries.value.length + strangers.value.length > 0 ? <RunsPanel /> : null;
}
