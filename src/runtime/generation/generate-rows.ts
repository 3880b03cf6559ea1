/** Continues prompts: those of one length go through the model together, so that no row is padded and each gets the numbers that it would get alone. */
import { interrupted } from "../../errors/runtime.ts";
import { Random } from "../random.ts";
import { BeamSearch } from "./beam-search.ts";
import type { Continuation, Decoder } from "./decoder.ts";
import { banRepeated, nextToken, type Sampling } from "./next-token.ts";

export interface GenerationSettings extends Sampling {
  /** 1: one row a prompt, token by token. */
  readonly beams: number;
  readonly lengthPenalty: number;
  /** No run of so many tokens comes twice, prompt included; 0: any may. */
  readonly noRepeatNgramSize: number;
  readonly maxNewTokens: number;
  /** Any of them ends a text. */
  readonly eosIds: readonly number[];
  /** Most tokens a row may have, prompt included. */
  readonly longest: number;
  /** Each prompt draws from a stream of its own, so that what it becomes doesn't depend on the others. */
  readonly seed: number;
}

export interface GenerationRun {
  readonly decoder: Decoder;
  readonly prompts: readonly (readonly number[])[];
  readonly settings: GenerationSettings;
  /** Prompts that go through the model together. */
  readonly batchSize: number;
  readonly signal?: AbortSignal | undefined;
  /** A token of a prompt, as soon as it is there; with several beams all of them at the end. */
  readonly onToken?: ((prompt: number, token: number) => void) | undefined;
  /** A prompt is done. */
  readonly onDone?: ((prompt: number, tokens: readonly number[]) => void) | undefined;
}

/** Returns what each prompt is continued with, in the order of the prompts; the token that ends a text is part of it. */
export async function generateRows(run: GenerationRun): Promise<(readonly number[])[]> {
  const results: (readonly number[])[] = run.prompts.map(() => []);
  const done = (prompt: number, tokens: readonly number[]): void => {
    results[prompt] = tokens;
    run.onDone?.(prompt, tokens);
  };
  for (const batch of batchesOf(run)) {
    if (run.settings.beams > 1) await searchBeams(run, batch, done);
    else await followRows(run, batch, done);
  }
  return results;
}

/** Prompts of one length, at most `batchSize` together, in the order in which they come. */
function batchesOf({ prompts, batchSize }: GenerationRun): number[][] {
  const byLength = new Map<number, number[][]>();
  const batches: number[][] = [];
  for (const [index, { length }] of prompts.entries()) {
    const known = byLength.get(length) ?? [];
    byLength.set(length, known);
    const open = known.at(-1);
    if (open !== undefined && open.length < batchSize) {
      open.push(index);
    } else {
      const next = [index];
      known.push(next);
      batches.push(next);
    }
  }
  return batches;
}

function roomFor(prompt: readonly number[], { maxNewTokens, longest }: GenerationSettings): number {
  return Math.min(maxNewTokens, longest - prompt.length);
}

interface Row {
  readonly index: number;
  readonly prompt: readonly number[];
  readonly tokens: number[];
  readonly random: Random;
}

async function followRows(run: GenerationRun, batch: readonly number[], done: (prompt: number, tokens: readonly number[]) => void): Promise<void> {
  const { decoder, prompts, settings } = run;
  let rows = batch.map((index): Row => ({ index, prompt: prompts[index] ?? [], tokens: [], random: new Random(settings.seed, index) }));
  let logits = await decoder.begin(rows.map(({ prompt }) => prompt));
  while (rows.length > 0) {
    stopIfAborted(run);
    const next: (Continuation & { readonly row: Row })[] = [];
    for (const [parent, row] of rows.entries()) {
      const own = logits[parent] ?? new Float32Array();
      banRepeated(own, [...row.prompt, ...row.tokens], settings.noRepeatNgramSize);
      const token = nextToken(own, settings, row.random);
      row.tokens.push(token);
      run.onToken?.(row.index, token);
      if (settings.eosIds.includes(token) || row.tokens.length >= roomFor(row.prompt, settings)) done(row.index, row.tokens);
      else next.push({ parent, token, row });
    }
    rows = next.map(({ row }) => row);
    if (rows.length > 0) logits = await decoder.next(next);
  }
}

async function searchBeams(run: GenerationRun, batch: readonly number[], done: (prompt: number, tokens: readonly number[]) => void): Promise<void> {
  const { decoder, prompts, settings } = run;
  let searches = batch.map((index) => ({ index, search: new BeamSearch(prompts[index] ?? [], { ...settings, maxNewTokens: roomFor(prompts[index] ?? [], settings) }) }));
  let logits = await decoder.begin(batch.map((index) => prompts[index] ?? []));
  while (searches.length > 0) {
    stopIfAborted(run);
    const next: Continuation[] = [];
    let first = 0;
    searches = searches.filter(({ index, search }) => {
      const { size } = search;
      const continued = search.advance(logits.slice(first, first + size)).map(({ parent, token }) => ({ parent: first + parent, token }));
      first += size;
      if (search.isDone) {
        for (const token of search.best) run.onToken?.(index, token);
        done(index, search.best);
        return false;
      }
      next.push(...continued);
      return true;
    });
    if (searches.length > 0) logits = await decoder.next(next);
  }
}

function stopIfAborted({ signal }: GenerationRun): void {
  if (signal?.aborted === true) throw interrupted();
}
