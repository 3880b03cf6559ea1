/** What generated texts are measured by where there are answers to compare with: names, and what the E2E challenge's own script computes (fixtures/e2e). One definition a metric. */
import { bleu } from "./bleu.ts";
import { cider } from "./cider.ts";
import { meteor } from "./meteor.ts";
import { nist } from "./nist.ts";
import { rougeL } from "./rouge-l.ts";

/** Of all texts together; each has one answer or several, and a text of English words is taken for granted. */
type TextMetric = (candidates: readonly string[], references: readonly (readonly string[])[]) => number;

/** By name in `--json`; higher is better, each. */
export const TEXT_METRICS = {
  bleu: { words: "BLEU, from 0 to 1: the geometric mean of what share of the runs of 1 to 4 words an answer has, less where texts are short", of: bleu },
  nist: { words: "NIST, from 0 on: runs of 1 to 5 words that an answer has, counted by how rare they are in all answers", of: nist },
  meteor: { words: "METEOR 1.5 with equal words and equal stems, from 0 to 1: words paired with those of the nearest answer, less where their order differs", of: meteor },
  rouge_l: { words: "ROUGE-L, from 0 to 1: the longest run of words with gaps that an answer has, recall weighing 1.2² times as much as precision", of: rougeL },
  cider: { words: "CIDEr-D, from 0 to 10: runs of 1 to 4 words in common with the answers, weighted by how few prompts' answers have them; 0 for one prompt", of: cider },
} as const satisfies Readonly<Record<string, { readonly words: string; readonly of: TextMetric }>>;

/** Every metric of texts with at least one answer each. None of no texts. */
export function textMetrics(texts: readonly { readonly text: string; readonly references: readonly string[] }[]): Record<string, number> {
  if (texts.length === 0) return {};
  const [candidates, references] = [texts.map(({ text }) => text), texts.map((each) => each.references)];
  return Object.fromEntries(Object.entries(TEXT_METRICS).map(([name, { of }]) => [name, of(candidates, references)]));
}
