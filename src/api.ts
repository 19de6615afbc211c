/** What the page and the command line say to the engine's worker, and what it answers. Types only. */
import type { BenchLine } from './bench';
import type { Profile, ProfileProgress } from './bench/profile';
import type { ProfileTarget } from './bench/profile-target';
import type { ClassImages } from './data/class-images';
import type { Thumbnail } from './data/survey';
import type { ThumbnailOptions } from './data/thumbnails';
import type { UserFile } from './data/types';
import type { AnalyseJob } from './run/analyse/options';
import type { Analysis } from './run/analyse/result';
import type { DataSource, ImageSettings } from './run/data-source';
import type { EvaluateOptions, SourceEvaluation } from './run/evaluate';
import type { ExportedNetwork, OnnxExport } from './run/export-network';
import type { RateSearch } from './run/find-rate';
import type { DeviceForecast, ForecastJob } from './run/forecast-job';
import type { InspectLayer, NetworkPreview } from './run/inspect';
import type { AnalysisEvent, TestEvent, TrainEvent, TrainJob, TrainResult } from './run/job';
import type { ModelSource } from './run/loaded-network';
import type { NetworkOptions } from './run/network-options';
import type { Predictions, PredictOptions } from './run/predict';
import type { BatchPreview, PreviewJob } from './run/preview-batch';
import type { SortedFiles } from './run/sort-files';
import type { RunSurvey } from './run/survey';
import type { TensorDetail } from './run/tensor-detail';
import type { WarmedUp } from './run/warm-up';
import type { RateSearchOptions } from './train/rate-search';
import type { VerifyLine } from './verify';

export type { ClassFigures, FiguresOfClass, Prediction as TestPrediction } from './analysis/class-figures';
export type { LayerRedundancy, RedundancyFigures } from './analysis/redundancy';
export type { BenchLine } from './bench';
export type { KernelProfile } from './bench/compile-times';
export type { DispatchProfile, Profile, ProfileProgress, ShaderProfile } from './bench/profile';
export type { ProfileRun, ProfileTarget } from './bench/profile-target';
export type { ClassImages } from './data/class-images';
export type { ImageSetReport } from './data/report';
export type { EqualImages, ImageSurvey, Thumbnail } from './data/survey';
export type { SkippedFile, UserFile } from './data/types';
export type { AnalyseJob, AnalysisName, NamedSource } from './run/analyse/options';
export type { Analysis, AnalysisResults } from './run/analyse/result';
export type { DataSource, ImageSettings } from './run/data-source';
export type { EvaluateOptions, SourceEvaluation } from './run/evaluate';
export type { ExportedNetwork, OnnxExport } from './run/export-network';
export type { RateSearch } from './run/find-rate';
export type { DeviceForecast, ForecastJob } from './run/forecast-job';
export type { GramSpectrum } from './run/gram-spectrum';
export type { HeadPlan } from './run/head-plan';
export type { InspectLayer, NetworkPreview } from './run/inspect';
export type { AnalysisEvent, OutputFile, TestEvent, TrainEvent, TrainJob, TrainResult } from './run/job';
export type { LiveImage } from './run/live';
export type { ModelSource } from './run/loaded-network';
export type { NetworkOptions } from './run/network-options';
export type { Prediction, Predictions, PredictOptions } from './run/predict';
export type { BatchPreview, PreviewJob } from './run/preview-batch';
export type { RedundancyChange } from './run/redundancy';
export type { MergeProof, Report, TestPredictions } from './run/report';
export type { SortedFiles } from './run/sort-files';
export type { MeasuredStep } from './run/step-rates';
export type { RunSurvey } from './run/survey';
export type { TensorDetail } from './run/tensor-detail';
export type { WarmedUp } from './run/warm-up';
export type { LivePrediction } from './train/live-look';
export type { EvalPoint, StepPoint } from './train/metrics';
export type { RateSearchOptions } from './train/rate-search';
export type { Method, TrainSettings } from './train/settings';
export type { VerifyLine } from './verify';

/** The worker's face. One job at a time; errors that the user can mend are `UserError`s (name kept across Comlink). */
export interface EngineApi {
  /**
   * The name of the GPU's adapter.
   * @throws UserError that says which part of WebGPU is missing
   */
  adapter(): Promise<string>;
  /**
   * Does ahead what a run of this job begins with, so that its first step comes soon; rejects as `train` would. Nothing is
   * kept of files but the compiled step. Gives what a step took, and how good the network is that the run starts from. Where a
   * run begins meanwhile it rejects as Stopped, and leaves the run what it has.
   */
  warmUp(job: TrainJob): Promise<WarmedUp>;
  /**
   * What a run would take of memory and work, by its plans alone; on a device that is there, whether it holds the run.
   * @throws UserError where the network cannot train so
   */
  forecast(job: ForecastJob): Promise<DeviceForecast>;
  /**
   * Trains a network, merges its maps into the weights and proves the merge.
   * @param onEvent hears of phases, steps, evaluations and warnings as they come
   * @throws UserError on files, settings or a device that a run cannot go on with
   */
  train(job: TrainJob, onEvent?: (event: TrainEvent) => void): Promise<TrainResult>;
  /**
   * Looks for a learning rate by some steps of training at rates that grow; nothing of that is kept.
   * @param onEvent hears of phases and steps as `train`'s does
   * @throws UserError on rates that make no range, or as `train` does
   */
  findRate(
    job: TrainJob,
    options?: RateSearchOptions,
    onEvent?: (event: TrainEvent) => void,
  ): Promise<RateSearch>;
  /**
   * Whether runs tell how their kernels stand while they train, by the event `redundancy` every few seconds. It costs a run at
   * most one part in a hundred of its time, and changes none of its bits.
   */
  watch(isOn: boolean): Promise<void>;
  /** Holds the run after the running step. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Lets a run that is paused take one step. */
  takeStep(): Promise<void>;
  /**
   * Stops after the running step; `train` then resolves with what it has, merged and proven, `profile` and
   * `analyse` with what is made so far. @param discard `train` rejects instead, with `Discarded`: what it has trained is thrown away
   */
  cancel(discard?: boolean): Promise<void>;
  /**
   * What a network says of test images: its accuracy, figures of each class, the class told of each image.
   * @param onEvent hears how far it has come
   * @throws UserError where network or images cannot be read, or do not fit each other
   */
  evaluate(
    model: ModelSource,
    test: DataSource,
    options?: EvaluateOptions,
    onEvent?: (event: TestEvent) => void,
  ): Promise<SourceEvaluation>;
  /**
   * The likeliest classes of each image; files that are no image are named, the others go on.
   * @param onEvent hears how far it has come
   */
  predict(
    model: ModelSource,
    images: UserFile[],
    options?: PredictOptions,
    onEvent?: (event: TestEvent) => void,
  ): Promise<Predictions>;
  /**
   * Writes a network as an ONNX file, reads that again and compares its answers with the network's.
   * @throws UserError where the network cannot be read, or the file answers otherwise
   */
  exportOnnx(model: ModelSource, options?: OnnxExport): Promise<ExportedNetwork>;
  /**
   * Analyses networks of one architecture, alone and the others against the first; where it is cancelled, what was made until then.
   * @param onEvent hears how far it has come
   * @throws UserError where networks or images cannot be read, or do not fit each other
   */
  analyse(job: AnalyseJob, onEvent?: (event: AnalysisEvent) => void): Promise<Analysis>;
  /** Runs one golden case of PyTorch, a safetensors file, on this device and compares. */
  verify(name: string, golden: Uint8Array): Promise<VerifyLine>;
  /** Measures one benchmark case; `reps`: repetitions at most. A network's step gives a line a method. */
  bench(name: string, reps?: number): Promise<BenchLine[]>;
  /** Times each dispatch of a plan, the mean over `runs`; by default as many as take a few seconds. */
  profile(
    target: ProfileTarget,
    runs?: number,
    onProgress?: (progress: ProfileProgress) => void,
  ): Promise<Profile>;
  /** The tensors of a file, a line each; needs no GPU. */
  inspect(file: UserFile, arch?: NetworkOptions): Promise<InspectLayer[]>;
  /** A network's layers and their redundancy before a run; needs no GPU. */
  preview(model: ModelSource): Promise<NetworkPreview>;
  /** Statistics and pictures of some tensors of a network, by PyTorch's names; needs no GPU. */
  tensors(model: ModelSource, names: readonly string[]): Promise<TensorDetail[]>;
  /** Sorts files by what they are for; needs no GPU. */
  sort(files: UserFile[]): Promise<SortedFiles>;
  /** What the sources of a run's images hold, before they are loaded; needs no GPU. */
  survey(sources: { train: DataSource; test?: DataSource }, settings: ImageSettings): Promise<RunSurvey>;
  /** A training batch as a network sees it, augmented. */
  previewBatch(job: PreviewJob): Promise<BatchPreview>;
  /** The images of one class of a run's sources, by what predictions and `pictures` call them. */
  classImages(
    sources: { train: DataSource; test?: DataSource },
    settings: ImageSettings,
    of: { name: string; classes: string[] },
  ): Promise<ClassImages>;
  /**
   * Small pictures of a source's images, by what predictions call them; those that cannot be shown are left out. Built-in ones
   * come as they are, 32 pixels a side.
   */
  pictures(
    source: DataSource,
    images: (string | number)[],
    options?: Partial<ThumbnailOptions>,
  ): Promise<Thumbnail[]>;
}
