/**
 * An error that the user can act on: one sentence that names the file, tensor, option or limit and says what to
 * do next. The command line prints it without a stack and exits with 2; the page shows it as it is.
 */
export class UserError extends Error {
  override name = 'UserError';

  constructor(
    message: string,
    /** what would mend it */
    readonly remedy?: Remedy,
  ) {
    super(message);
  }
}

/** Settings of a run, by name, that are to be other ones. */
export type Remedy = Readonly<Record<string, string | number>>;

/** A device that has too little memory for a program. Smaller batches of images may help. */
export class OutOfMemory extends UserError {
  /**
   * @param share how much of what was asked for the device would have given, where that is known, else a guess
   * @param inAll whether all buffers together are too much, and not one of them too large
   */
  constructor(
    message: string,
    readonly share: number,
    readonly inAll = false,
  ) {
    super(message);
  }
}

/** A step whose memory does not fit the limit that was set for it, however much of it is computed again. */
export class OverLimit extends OutOfMemory {
  /**
   * @param limit bytes that it may take
   * @param least bytes that it takes at least
   */
  constructor(
    readonly limit: number,
    readonly least: number,
  ) {
    const megabytes = Math.ceil(least / 1e6);
    super(
      `A training step takes at least ${megabytes} MB, however much of it is computed twice, and the memory limit is ${Math.floor(limit / 1e6)} MB: raise it (--memory ${megabytes}), or take a smaller batch or smaller images.`,
      limit / least,
    );
  }
}

/** The user stopped a run that had not come to anything yet. The command line exits as after an interrupt. */
export class Stopped extends UserError {
  override name = 'Stopped';

  constructor(message = 'Stopped before anything was trained.') {
    super(message);
  }
}

/** The user threw away what a run had trained. */
export class Discarded extends Stopped {
  override name = 'Discarded';

  constructor(message = 'What was trained is discarded.') {
    super(message);
  }
}

/** The device is gone, with all that was on it. A run may go on from its last checkpoint on another one. */
export class DeviceLost extends UserError {
  override name = 'DeviceLost';
}

/** There is no WebGPU here, or no GPU behind it. */
export class NoWebGpu extends UserError {
  override name = 'NoWebGpu';
}

/** What is left of an error that comes from another context. */
export interface ErrorCopy {
  name?: string;
  message?: string;
  remedy?: Remedy;
}

const KINDS = { Stopped, Discarded, DeviceLost, NoWebGpu };

/** The UserError that an error from another context was; undefined where it was none. */
export function asUserError({ name = '', message = '', remedy }: ErrorCopy): UserError | undefined {
  if (name in KINDS) return new KINDS[name as keyof typeof KINDS](message);
  return name === 'UserError' ? new UserError(message, remedy) : undefined;
}
