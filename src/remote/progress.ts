/** How far a file has come. */
export interface Progress {
  bytes: number;
  size?: number;
  /** where a connection brought no more: why, and in how many milliseconds the next one is tried */
  retry?: { why: string; wait: number };
}

/** Called as bytes come, and where there is a wait for more. */
export type OnProgress = (progress: Progress) => void;

/** Why a download waits and for how long, a sentence. */
export function retryText({ why, wait }: NonNullable<Progress['retry']>): string {
  const seconds = Math.max(1, Math.round(wait / 1000));
  return `${why[0].toUpperCase()}${why.slice(1)}: trying again in ${seconds} second${seconds === 1 ? '' : 's'}.`;
}
