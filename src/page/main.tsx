/** Starts the page. */
import { render } from 'preact';
import 'uplot/dist/uPlot.min.css';
import './style/base.css';
import './style/form.css';
import './style/table.css';
import './style/run.css';
import './style/results.css';
import './style/profile.css';
import { App } from './app';
import { askAdapter } from './engine';
import { followNetwork } from './input/sources';
import { guardRun } from './run/run';
import { followWarmUp } from './run/warm-up';
import { followUrl } from './settings/config';
import { followTheme } from './theme';

followTheme();
followUrl();
followNetwork();
followWarmUp();
guardRun();
// A file dropped beside its place must not replace the page, and a run with it.
for (const type of ['dragover', 'drop'] as const) addEventListener(type, (event) => event.preventDefault());
render(<App />, document.getElementById('app')!);
askAdapter();
