import { describe } from "mocha";
import { gradcheck } from "./gradcheck.ts";

const letters = "abc";
/** One row: the inputs' dimensions in the equation's order. */
function row(equation: string, dims: readonly (readonly number[])[], options: Parameters<typeof gradcheck>[2] = {}): void {
  gradcheck("Einsum", Object.fromEntries(dims.map((d, i) => [letters[i] ?? "", d])), { attributes: { equation }, ...options });
}

describe("gradients of Einsum", () => {
  row("ij,jk->ik", [[2, 3], [3, 4]]);
  row("ij,jk", [[2, 3], [3, 4]]);
  row("bhid,bhjd->bhij", [[2, 1, 3, 2], [2, 1, 4, 2]]);
  row("bsd,dhk->bshk", [[2, 2, 3], [3, 2, 2]]);
  row("bshk , hkd -> bsd", [[1, 2, 2, 2], [2, 2, 3]]);
  row("ij->ji", [[2, 3]]);
  row("ij->i", [[2, 3]]);
  row("ij->", [[2, 3]]);
  row("ij,k->ik", [[2, 3], [2]]);
  row("i,j->ij", [[2], [3]]);
  row("i,i->", [[3], [3]]);
  row("a,ab,b->", [[2], [2, 3], [3]]);
  row("ij,ij,ij->ij", [[2, 3], [2, 3], [2, 3]]);
  const refuses = ["unknown"] as const;
  row("...d,df->...f", [[2, 2, 3], [3, 2]], { refuses });
  row("...ij,...jk->...ik", [[2, 2, 3], [2, 3, 2]], { refuses });
  row("...ij,...jk", [[2, 1, 2, 3], [2, 3, 3, 2]], { refuses });
  row("ii->i", [[3, 3]], { refuses: ["known", "named", "own names", "unknown"] });
});
