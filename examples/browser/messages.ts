/** What the page and its worker say to each other. */

/** Files of a model as the user picked them, or null for the demo's, which the worker fetches. */
export interface PickedModel {
  readonly name: string;
  readonly model: ArrayBuffer;
  readonly tokenizer: string;
  /** config.json and others that go along into a model folder: name and text. */
  readonly others: readonly (readonly [string, string])[];
}

export interface TrainSettings {
  readonly epochs: number;
  readonly batchSize: number;
  readonly lr: number;
}

/** A request by name, with what it takes and what it answers. */
export interface Requests {
  readonly open: { readonly takes: { readonly picked: PickedModel | null; readonly provider: Provider }; readonly gives: OpenedInfo };
  readonly data: { readonly takes: { readonly name: string; readonly content: ArrayBuffer | string; readonly rank: number }; readonly gives: DataInfo };
  readonly train: { readonly takes: TrainSettings; readonly gives: TrainedInfo };
  readonly stop: { readonly takes: null; readonly gives: null };
  readonly predict: { readonly takes: { readonly sentence: string }; readonly gives: Scores };
  readonly transformers: { readonly takes: { readonly sentence: string }; readonly gives: { readonly ours: Answer; readonly theirs: Answer } };
  readonly merged: { readonly takes: null; readonly gives: Uint8Array };
  readonly adapter: { readonly takes: null; readonly gives: readonly (readonly [string, Uint8Array])[] };
  readonly folder: { readonly takes: null; readonly gives: readonly (readonly [string, Uint8Array])[] };
}

export type Provider = "wasm" | "webgpu";

export interface OpenedInfo {
  readonly name: string;
  readonly parameters: number;
  readonly weights: number;
  readonly hasLogits: boolean;
}

export interface DataInfo {
  readonly sentences: number;
  /** Of them, those that the model isn't trained on: they tell how well it does. */
  readonly heldOut: number;
  readonly classes: readonly { readonly name: string; readonly count: number }[];
  readonly examples: readonly { readonly sentence: string; readonly label: string }[];
  readonly trainableParams: number;
  readonly totalParams: number;
}

export interface TrainedInfo {
  readonly steps: number;
  readonly seconds: number;
  readonly interrupted: boolean;
  /** Of the sentences held out; null where there are none. */
  readonly accuracy: { readonly before: number | null; readonly after: number | null };
}

/** A sentence's scores, one a class, by the model as it was and as it is. */
export interface Scores {
  readonly classes: readonly string[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** The class that a sentence is taken for. */
export interface Answer {
  readonly label: string;
  readonly score: number;
}

/** A step of the training that runs. */
export interface StepNews {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  readonly loss: number | null;
}

export type Request = { [K in keyof Requests]: { readonly id: number; readonly type: K; readonly body: Requests[K]["takes"] } }[keyof Requests];
export type Reply = { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: string } | { readonly news: StepNews };
