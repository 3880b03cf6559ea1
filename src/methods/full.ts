/** Full fine-tuning: every parameter of the model, embeddings and norms too. */
import { wholeTraining } from "./whole.ts";

/**
 * The rate is that of Hugging Face's Trainer: each number of a pretrained weight moves by about a rate a step in Adam, and these weights are small (0.02 to 0.05), where A
 * and B have their start still before them. Theta is the whole model, and its two moments twice that.
 */
export const full = wholeTraining({ name: "full", summary: "W' trained itself: every weight, bias, embedding and norm of the model", numbers: "k·n", trains: "everything", defaultLearningRate: 5e-5 });
