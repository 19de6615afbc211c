/** What charts of curves have in common: how much they are smoothed, and whether the loss is drawn by its logarithm. */
import type { Signal } from '@preact/signals';

export function Smoothing({ value }: { value: Signal<number> }) {
  return (
    <label>
      Smoothing{' '}
      <input
        type="range"
        min="0"
        max="0.99"
        step="0.01"
        value={value.value}
        aria-valuetext={value.value.toFixed(2)}
        onInput={(event) => {
          value.value = Number(event.currentTarget.value);
        }}
      />
      <output>{value.value.toFixed(2)}</output>
    </label>
  );
}

export function LogLoss({ value }: { value: Signal<boolean> }) {
  return (
    <label>
      <input
        type="checkbox"
        checked={value.value}
        onChange={(event) => {
          value.value = event.currentTarget.checked;
        }}
      />{' '}
      Log loss
    </label>
  );
}
