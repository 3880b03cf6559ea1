import { describe } from "mocha";
import { gradcheck } from "./gradcheck.ts";

/** A vector side means another formula, so ranks must be known. */
const refuses = ["unknown"] as const;

describe("gradients of products", () => {
  gradcheck("MatMul", { A: [2, 3], B: [3, 4] }, { refuses });
  gradcheck("MatMul", { A: [2, 3, 4], B: [4, 5] }, { refuses });
  gradcheck("MatMul", { A: [2, 2, 3, 4], B: [4, 2] }, { refuses });
  gradcheck("MatMul", { A: [1, 1, 4], B: [4, 1] }, { refuses });
  gradcheck("MatMul", { A: [2, 3, 4], B: [2, 4, 5] }, { refuses });
  gradcheck("MatMul", { A: [2, 1, 2, 3], B: [3, 3, 2] }, { refuses });
  gradcheck("MatMul", { A: [1, 2, 3], B: [2, 3, 2] }, { refuses });
  gradcheck("MatMul", { A: [2, 3], B: [2, 3, 2] }, { refuses });
  gradcheck("MatMul", { A: [3], B: [3, 4] }, { refuses });
  gradcheck("MatMul", { A: [3], B: [2, 3, 4] }, { refuses });
  gradcheck("MatMul", { A: [2, 3], B: [3] }, { refuses });
  gradcheck("MatMul", { A: [2, 2, 3], B: [3] }, { refuses });
  gradcheck("MatMul", { A: [4], B: [4] }, { refuses });
  gradcheck("MatMul", { A: [2, 3, 4], B: [4, 5] }, { wrt: ["A"], refuses });

  for (const transA of [0, 1]) {
    for (const transB of [0, 1]) {
      const dims = { A: transA === 1 ? [3, 2] : [2, 3], B: transB === 1 ? [4, 3] : [3, 4] };
      gradcheck("Gemm", dims, { attributes: { transA, transB } });
      gradcheck("Gemm", { ...dims, C: [4] }, { attributes: { transA, transB, alpha: 0.75, beta: 1.5 }, refusesBefore13: refuses });
    }
  }
  for (const C of [[], [1], [1, 4], [2, 1], [2, 4], [1, 1]]) {
    gradcheck("Gemm", { A: [2, 3], B: [3, 4], C }, { refusesBefore13: refuses });
    gradcheck("Gemm", { A: [2, 3], B: [3, 4], C }, { attributes: { beta: -0.5 }, refusesBefore13: refuses });
  }
  gradcheck("Gemm", { A: [1, 1], B: [1, 1], C: [1] }, { attributes: { alpha: 2 }, refusesBefore13: refuses });
});
