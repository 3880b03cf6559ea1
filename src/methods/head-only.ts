/** The head alone: nothing is adapted, the modules to save are trained whole. */
import { wholeTraining } from "./whole.ts";

export const headOnly = wholeTraining({ name: "head", summary: "the head alone, or what --modules-to-save names, trained whole on frozen features", numbers: "0", trains: "nothing", defaultLearningRate: 1e-3 });
