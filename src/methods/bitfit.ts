/** BitFit (arXiv 2106.10199): all biases, those of norms too, and the head for a classification task. */
import { wholeTraining } from "./whole.ts";

export const bitfit = wholeTraining({ name: "bitfit", summary: "b' trained, W as it is: all biases of the model", numbers: "n", trains: "biases", defaultLearningRate: 1e-3 });
