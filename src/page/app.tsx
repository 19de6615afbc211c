/** The page: a head and three steps. */
import type { ComponentChildren } from 'preact';
import { adapter } from './engine';
import { Help } from './help/help';
import { preview } from './input/sources';
import { StepInput } from './input/step-input';
import { lazy, lazyPanel } from './lazy';
import { LessonCard } from './lesson/card';
import { UpdateNotice } from './offline/update-notice';
import { ProfilePanel } from './profile/profile-panel';
import { StepResults } from './results/step-results';
import { RunBar } from './run/run-bar';
import { redundancy } from './run/state';
import { type StepNumber, StepState } from './run/step-state';
import { StepTrain } from './run/step-train';
import { Runs } from './runs/runs';
import { SavedNotices } from './saved/saved-notice';
import { unknownNames } from './settings/config';
import { theme, toggleTheme } from './theme';

const hasNetwork = () => preview.value.state === 'ready';

const Network = lazyPanel({
  id: 'network',
  title: 'Network',
  hint: 'The layers appear as soon as a network is chosen.',
  isWanted: hasNetwork,
  load: async () => (await import('./network/panel')).NetworkPanel,
});
const Redundancy = lazyPanel({
  id: 'redundancy',
  title: 'Channel redundancy',
  hint: 'The picture appears as soon as a network is chosen that has a convolution larger than 1×1.',
  isWanted: () => hasNetwork() || redundancy.value.before.length > 0,
  load: async () => (await import('./redundancy/panel')).RedundancyPanel,
});
const Analysis = lazyPanel({
  id: 'analysis',
  title: 'Looking into networks',
  hint: 'What can be looked at appears as soon as a network is chosen.',
  isWanted: hasNetwork,
  load: async () => (await import('./analysis/panel')).AnalysisPanel,
});
const Experiment = lazyPanel({
  id: 'experiment',
  title: 'Experiments',
  hint: '',
  isWanted: () => true,
  load: async () => (await import('./experiment/panel')).ExperimentPanel,
});
const Explain = lazy(async () => (await import('./explain/panel')).ExplainPanel);

export function App() {
  return (
    <>
      <button
        type="button"
        class="skip"
        onClick={() => document.querySelector<HTMLElement>('.run-bar .button:enabled')?.focus()}
      >
        Skip to Start
      </button>
      <Head />
      {/* above what comes late: its buttons must not move under a click */}
      <SavedNotices />
      <Notices />
      <UpdateNotice />
      <LessonCard />
      <main>
        <Step number={1} title="Network and images">
          <StepInput />
        </Step>
        <Step number={2} title="Train">
          <StepTrain />
        </Step>
        <Step number={3} title="Results">
          <StepResults />
        </Step>
        <Runs />
        <Network />
        <Redundancy />
        <Analysis />
        <Experiment />
        <Explain />
        <ProfilePanel />
      </main>
      <footer>
        <p>
          Refocusing convolution (RefConv, arXiv 2310.10563): a frozen trained kernel W and a trainable map M
          make the kernel W + conv2d(W, M) that the layer convolves with. Merged, the network costs what it
          did before.
        </p>
      </footer>
      <RunBar />
    </>
  );
}

const WayToWebGpu = lazy(async () => (await import('./way-to-webgpu')).WayToWebGpu);

function Head() {
  const other = theme.value === 'dark' ? 'light' : 'dark';
  return (
    <header>
      <Logo />
      <div class="title">
        <h1>Refocus</h1>
        <p>New kernels out of the old ones, for the same network at the same cost.</p>
      </div>
      <div class="machine">
        <p class="promise">Nothing leaves this machine: files are read here and trained on your GPU.</p>
        <p class="adapter">{adapterText()}</p>
      </div>
      <Help />
      <button type="button" class="button small" onClick={toggleTheme}>
        {other === 'dark' ? 'Dark' : 'Light'}
        <span class="sr-only"> colours</span>
      </button>
    </header>
  );
}

function adapterText(): string {
  const found = adapter.value;
  if (found.state === 'asking') return 'Looking for a GPU …';
  if (found.state === 'ready') return found.name || 'A GPU without a name';
  return found.isWebGpu ? 'No WebGPU' : 'No engine';
}

/** Renderers that have no GPU behind them. */
const isSoftware = (): boolean =>
  adapter.value.state === 'ready' && /swiftshader|llvmpipe|basic render|lavapipe/i.test(adapter.value.name);

/** Nine taps of a kernel coming into focus, left to right. */
function Logo() {
  const taps = [0, 1, 2].flatMap((row) => [0, 1, 2].map((column) => [row, column] as const));
  return (
    <svg class="logo" viewBox="0 0 36 36" aria-hidden="true">
      {taps.map(([row, column]) => (
        <circle
          key={`${row}${column}`}
          cx={6 + 12 * column}
          cy={6 + 12 * row}
          r={[5.6, 4.4, 3.2][column]}
          opacity={[0.28, 0.55, 1][column]}
        />
      ))}
    </svg>
  );
}

/** What is said at once, and what to do, which comes when it is needed. */
function Missing({ why, isWebGpu }: { why: string; isWebGpu: boolean }) {
  return (
    <div class="notice" role="alert">
      <p>{why}</p>
      {isWebGpu && <WayToWebGpu />}
    </div>
  );
}

function Notices() {
  const unknown = unknownNames.value;
  return (
    <>
      {adapter.value.state === 'missing' && <Missing {...adapter.value} />}
      {isSoftware() && (
        <p class="notice quiet" role="status">
          This browser draws by software, on the processor: training is many times slower than on a GPU. In
          Chrome, chrome://gpu says why.
        </p>
      )}
      {unknown.length > 0 && (
        <p class="notice quiet" role="status">
          The address names {unknown.join(', ')}, which this page does not know; the rest of it is used.
        </p>
      )}
    </>
  );
}

interface StepProps {
  number: StepNumber;
  title: string;
  children: ComponentChildren;
}

function Step({ number, title, children }: StepProps) {
  const id = `step-${number}`;
  return (
    <section class="step" id={id} tabIndex={-1} aria-labelledby={`${id}-title`}>
      <div class="step-head">
        <h2 id={`${id}-title`}>
          <span class="step-number" aria-hidden="true">
            {number}
          </span>
          {title}
        </h2>
        <StepState number={number} />
      </div>
      {children}
    </section>
  );
}
