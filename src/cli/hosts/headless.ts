/** The page of a headless run: forwards calls of the command line to the engine's worker. */
import type {
  AnalyseJob,
  DataSource,
  EngineApi,
  ForecastJob,
  ModelSource,
  NetworkOptions,
  PreviewJob,
  ProfileTarget,
  TestEvent,
  TrainEvent,
  TrainJob,
  UserFile,
} from '../../api';
import { UserError } from '../../errors';
import { connectEngine } from '../../worker/client';
import { unpack } from '../../worker/pack';

/** A call as the command line sends it; blobs lie at `blobs`, large results go to `results`, checkpoints below `checkpoints`. */
export interface RemoteCall {
  method: keyof EngineApi;
  args: unknown[];
  blobs: string;
  results: string;
  checkpoints: string;
}

/** How a call ended; errors as data, since the browser's bridge keeps only their text. */
export type RemoteResult = { value: unknown } | { error: { name: string; message: string; stack?: string } };

declare global {
  interface Window {
    /** set by this page for the command line */
    refocusCall: (call: RemoteCall) => Promise<RemoteResult>;
    /** set by the command line: receives what a call tells */
    refocusEvent: (event: TrainEvent | TestEvent) => Promise<void>;
  }
}

const { api } = connectEngine();

window.refocusCall = async (call) => {
  try {
    return { value: await perform(call) };
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    return { error: { name, message, stack } };
  }
};

async function perform(call: RemoteCall): Promise<unknown> {
  const args = (await unpack(call.args, await fetchBlobs(call.blobs))) as unknown[];
  switch (call.method) {
    case 'train': {
      const sent: Promise<unknown>[] = [];
      const { merged, best, files, ...rest } = await api.train(args[0] as TrainJob, (event) => {
        if (event.type === 'checkpoint') sent.push(sendCheckpoint(call.checkpoints, event));
        else forward(event);
      });
      await Promise.all(sent);
      const all = [merged, best, ...files.map(({ bytes }) => bytes)];
      // As a blob: DevTools would copy a typed array of this size through its log.
      await fetch(call.results, { method: 'POST', body: new Blob(all) });
      return { ...rest, names: files.map(({ name }) => name), sizes: all.map(({ length }) => length) };
    }
    case 'findRate':
      return api.findRate(args[0] as TrainJob, args[1] as Parameters<EngineApi['findRate']>[1], forward);
    case 'analyse':
      return api.analyse(args[0] as AnalyseJob, forward);
    case 'evaluate':
      return api.evaluate(
        args[0] as ModelSource,
        args[1] as DataSource,
        args[2] as Parameters<EngineApi['evaluate']>[2],
        forward,
      );
    case 'predict':
      return api.predict(
        args[0] as ModelSource,
        args[1] as UserFile[],
        args[2] as Parameters<EngineApi['predict']>[2],
        forward,
      );
    case 'exportOnnx': {
      const options = args[1] as Parameters<EngineApi['exportOnnx']>[1];
      const { bytes, ...rest } = await api.exportOnnx(args[0] as ModelSource, options);
      await fetch(call.results, { method: 'POST', body: new Blob([bytes]) });
      return rest;
    }
    case 'verify':
      return api.verify(args[0] as string, new Uint8Array(await (args[1] as Blob).arrayBuffer()));
    case 'inspect':
      return api.inspect(args[0] as UserFile, args[1] as NetworkOptions | undefined);
    case 'preview':
      return api.preview(args[0] as ModelSource);
    case 'tensors':
      return api.tensors(...(args as Parameters<EngineApi['tensors']>));
    case 'sort':
      return api.sort(args[0] as UserFile[]);
    case 'survey':
      return api.survey(...(args as Parameters<EngineApi['survey']>));
    case 'forecast':
      return api.forecast(args[0] as ForecastJob);
    case 'previewBatch': {
      const { pixels, ...rest } = await api.previewBatch(args[0] as PreviewJob);
      await fetch(call.results, { method: 'POST', body: new Blob([pixels]) });
      return rest;
    }
    case 'classImages':
      return api.classImages(...(args as Parameters<EngineApi['classImages']>));
    case 'pictures':
      return api.pictures(...(args as Parameters<EngineApi['pictures']>));
    case 'bench':
      return api.bench(args[0] as string, args[1] as number | undefined);
    case 'watch':
      return api.watch(args[0] as boolean);
    case 'warmUp':
      return api.warmUp(args[0] as TrainJob);
    case 'profile':
      return api.profile(args[0] as ProfileTarget, args[1] as number | undefined);
    case 'cancel':
      return api.cancel(args[0] as boolean | undefined);
    default:
      return api[call.method]();
  }
}

/** One that does not arrive is no reason to end the run: there are others. */
const sendCheckpoint = (url: string, { file, step, bytes }: Extract<TrainEvent, { type: 'checkpoint' }>) =>
  fetch(`${url}/${step}/${file}`, { method: 'POST', body: bytes }).catch(() => {});

/** The command line shows no heatmap, so the kernels stay here. */
function forward(event: TrainEvent | TestEvent): void {
  if (event.type !== 'redundancy') void window.refocusEvent(event);
}

async function fetchBlobs(url: string): Promise<Blob> {
  const response = await fetch(url);
  if (!response.ok) throw new UserError('The files changed while they were read; start again.');
  return response.blob();
}
