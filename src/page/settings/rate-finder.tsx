/** The button that looks for a learning rate, the curve that it found and the rate that it suggests. */
import type { RateSearch } from '../../api';
import { isGpuFree } from '../gpu-use';
import { setSetting } from './config';
import { rateLine } from './rate-line';
import { findRate, type RateState, rateState, stopRateSearch } from './rate-search';

export function RateFinder() {
  const now = rateState.value;
  return (
    <div class="rate-finder">
      <div class="row">
        {now.state === 'running' ? (
          <button type="button" class="button small" disabled={now.isStopping} onClick={stopRateSearch}>
            Stop the search
          </button>
        ) : (
          <button type="button" class="button small" disabled={!isGpuFree.value} onClick={findRate}>
            Find a learning rate
          </button>
        )}
        <Answer now={now} />
      </div>
      {now.state === 'ready' && <Curve {...now.search} />}
    </div>
  );
}

function Answer({ now }: { now: RateState }) {
  switch (now.state) {
    case 'none':
      return <p class="hint">Tries growing rates for a hundred steps, of which nothing is kept.</p>;
    case 'running':
      return <p role="status">{now.isStopping ? 'Stopping after this step' : now.message}</p>;
    case 'failed':
      return <p class="error">{now.why}</p>;
    case 'ready': {
      const { suggestion, reason } = now.search;
      return (
        <>
          {suggestion !== undefined && (
            <button type="button" class="button primary" onClick={() => setSetting('lr', String(suggestion))}>
              Use {suggestion}
            </button>
          )}
          <p role="status">{reason}</p>
        </>
      );
    }
  }
}

/** The smoothed loss over the rate, which grows by equal factors from left to right. */
function Curve({ points, suggestion }: RateSearch) {
  const drawn = rateLine(points, suggestion);
  if (!drawn) return null;
  const { line, mark, width, height, low, high, first, last } = drawn;
  return (
    <figure class="rate-curve">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Loss over the learning rate, from ${first} to ${last}`}
      >
        {mark !== undefined && <line x1={mark} x2={mark} y1={0} y2={height} />}
        <polyline points={line} />
      </svg>
      <figcaption>
        <span>rate {first}</span>
        <span>
          loss {low} to {high}
        </span>
        <span>{last}</span>
      </figcaption>
    </figure>
  );
}
