import { UserError } from '../../errors';
import { type Command, text } from '../command';
import { pageHeaders } from '../hosts/page-headers';
import { serve } from '../hosts/server';

export const start: Command = {
  usage: 'start [--port N]',
  summary: 'Serves the page on this machine.',
  positionals: [],
  options: {
    port: { type: 'string', value: 'N', help: 'port to listen on; 0 takes a free one', fallback: '4173' },
  },
  async run(args, context) {
    const port = Number(text(args, 'port') ?? '4173');
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      throw new UserError(`--port must be a whole number from 0 to 65535, not "${text(args, 'port')}".`);
    }
    const server = await serve(context.pageFolder, { port, headers: pageHeaders });
    context.out(`Refocus is at ${server.url} (Ctrl-C ends it)`);
    await new Promise<void>((resolve) => context.onInterrupt(resolve));
    await server.close();
    return 0;
  },
};
