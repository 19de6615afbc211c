/** Starts the page. */
import './trusted-types';
import { render } from 'preact';
import 'uplot/dist/uPlot.min.css';
import './style/base.css';
import './style/form.css';
import './style/table.css';
import './style/run.css';
import './style/training.css';
import './style/results.css';
import './style/profile.css';
import './style/network.css';
import './style/redundancy.css';
import './style/forecast.css';
import { App } from './app';
import { askAdapter } from './engine';
import { followForecast } from './forecast/forecast';
import { followImages, followNetwork } from './input/sources';
import { followDrops } from './input/take';
import { keepOffline } from './offline/registration';
import { followFavicon } from './run/favicon';
import { guardRun } from './run/guard';
import { followEnd } from './run/notify';
import { takeReloaded } from './run/reload';
import { resumeSaved } from './run/run';
import { followWarmUp } from './run/warm-up';
import { findSavedRuns } from './saved/saved-runs';
import { followUrl } from './settings/config';
import { followTheme } from './theme';

followTheme();
followUrl();
followNetwork();
followImages();
followWarmUp();
followForecast();
guardRun();
followFavicon();
followEnd();
followDrops();
render(<App />, document.getElementById('app')!);
askAdapter();
findSavedRuns().then(() => {
  const reloaded = takeReloaded();
  if (reloaded !== undefined) resumeSaved(reloaded);
});
// the page first, what keeps it for later after it
setTimeout(keepOffline, 1000);
