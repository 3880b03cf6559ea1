/**
 * Random masks of ordinary operators: the same bits on every machine and in every run, by nothing but what they are of.
 *
 * A number of the field of p = 2³¹ − 1 elements is stirred by x → (x + w)⁵ mod p, which permutes the field, since 5 has no divisor in common with p − 1: the round
 * of MiMC, a block cipher made for arithmetic of this kind. It takes int64 additions, products and remainders, of which none overflows. Seed, step and layer make a
 * key; the key makes a number a_i of each row, by its record and its place there, and a b_j of each column; and the element's is a_i·b_j mod p. For any b_j that is
 * uniform over the field. Stirring every element by itself instead takes six operations on the whole mask, not two.
 *
 * A row is known by its record's place in the step, whatever batch it came in: micro-batches have the masks of the large batch that they were cut from.
 */
import type { Value } from "../ir/graph.ts";
import type { OpBuilder } from "../ops/generated/builder.ts";

/** A Mersenne prime: products of two of its elements fit into 62 bits. */
const PRIME = 2 ** 31 - 1;
/** Rounds for each word that is taken in; statistics of the masks see no difference from two on. */
const ROUNDS = 3;
/** Any number of the field, another one for each round: the fraction of the golden ratio. */
const ROUND_CONSTANT = 1_327_217_885;

/** What the masks of a graph are made of: int64 [], and the place in the step of the batch's first record and the number of its records, int64 [2]. */
export interface MaskInputs {
  readonly seed: Value;
  readonly step: Value;
  readonly rows: Value;
}

/** A mask of the shape of x [.., columns], the batch first: true with the probability 1 − rate, where an element is kept. `layer` tells masks of one step apart. */
export function randomMask(op: OpBuilder, x: Value, { seed, step, rows }: MaskInputs, layer: number, rate: number): Value {
  const integer = (value: number): Value => op.scalar(value, seed);
  const prime = integer(PRIME);
  // One word is stirred before the next is added: layer 1 of seed 0 is not layer 0 of seed 1.
  const key = [op.Mod(seed, prime), op.Div(seed, prime), op.Mod(step, prime)].reduce((state, word) => stirred(op, state, word), stirred(op, integer(layer), integer(0)));
  const shape = op.Shape(x);
  const columns = op.Gather(shape, integer(-1), { axis: 0 });
  const count = op.Div(op.ReduceProd(shape, [0], { keepdims: 0 }), columns);
  const [first, records] = [op.Gather(rows, integer(0), { axis: 0 }), op.Gather(rows, integer(1), { axis: 0 })];
  const places = op.Max([op.Div(count, records), integer(1)]);
  const row = op.Range(integer(0), count, integer(1));
  const ofRecord = stirred(op, key, op.Add(op.Div(row, places), first));
  const ofRow = op.Unsqueeze(stirred(op, ofRecord, op.Mod(row, places)), [1]);
  const ofColumn = op.Unsqueeze(stirred(op, stirred(op, key, integer(1)), op.Range(integer(0), columns, integer(1))), [0]);
  const drawn = op.Mod(op.Mul(ofRow, ofColumn), prime);
  return op.Reshape(op.Not(op.Less(drawn, integer(Math.round(rate * PRIME)))), shape);
}

/** Takes a word into a state; either may be a vector. */
function stirred(op: OpBuilder, state: Value, word: Value): Value {
  const prime = op.scalar(PRIME, state);
  let x = op.Add(state, word);
  for (let round = 0; round < ROUNDS; round += 1) {
    const base = op.Mod(op.Add(x, op.scalar((ROUND_CONSTANT * (round + 1)) % PRIME, state)), prime);
    const square = op.Mod(op.Mul(base, base), prime);
    x = op.Mod(op.Mul(op.Mod(op.Mul(square, square), prime), base), prime);
  }
  return x;
}
