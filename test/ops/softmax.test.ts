import { describe } from "mocha";
import { gradcheck } from "./gradcheck.ts";

describe("gradients of softmax", () => {
  for (const op of ["Softmax", "LogSoftmax"]) {
    gradcheck(op, { input: [2, 3, 4] });
    for (const axis of [-1, 0, 1, 2, -2]) {
      gradcheck(op, { input: [2, 3, 4] }, { attributes: { axis } });
      // The axes from this one on are one.
      gradcheck(op, { input: [2, 3, 2] }, { attributes: { axis }, opsets: [11, 12] });
    }
    gradcheck(op, { input: [2, 3, 2] }, { opsets: [11, 12] });
  }
});
