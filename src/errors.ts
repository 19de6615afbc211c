/**
 * An error that the user can act on: one sentence that names the file, tensor, option or limit and says what to
 * do next. The command line prints it without a stack and exits with 2; the page shows it as it is.
 */
export class UserError extends Error {
  override name = 'UserError';
}
