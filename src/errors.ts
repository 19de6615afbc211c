/**
 * An error that the user can act on: one sentence that names the file, tensor, option or limit and says what to
 * do next. The command line prints it without a stack and exits with 2; the page shows it as it is.
 */
export class UserError extends Error {
  override name = 'UserError';
}

/** A device that has too little memory for a program. Smaller batches of images may help. */
export class OutOfMemory extends UserError {
  /** @param share how much of what was asked for the device would have given, where that is known, else a guess */
  constructor(
    message: string,
    readonly share: number,
  ) {
    super(message);
  }
}

/** The user stopped a run that had not come to anything yet. The command line exits as after an interrupt. */
export class Stopped extends UserError {
  override name = 'Stopped';

  constructor(message = 'Stopped before anything was trained.') {
    super(message);
  }
}

/** The UserError that an error from another context was, where a copy of it has only its name left; undefined where it was none. */
export function asUserError({ name, message }: { name?: string; message?: string }): UserError | undefined {
  if (name === 'Stopped') return new Stopped(message);
  return name === 'UserError' ? new UserError(message) : undefined;
}
