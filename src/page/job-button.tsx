interface JobButtonProps {
  start: string;
  stop: string;
  isRunning: boolean;
  isStopping: boolean;
  /** the id of the words that say why it cannot start; absent: it can */
  obstacle: string | undefined;
  onStart: () => void;
  onStop: () => void;
}

/** Starts a job of the engine, and stops it while it runs. */
export function JobButton({ start, stop, isRunning, isStopping, obstacle, onStart, onStop }: JobButtonProps) {
  return isRunning ? (
    <button type="button" class="button" disabled={isStopping} onClick={onStop}>
      {stop}
    </button>
  ) : (
    <button
      type="button"
      class="button"
      disabled={obstacle !== undefined}
      aria-describedby={obstacle}
      onClick={onStart}
    >
      {start}
    </button>
  );
}
