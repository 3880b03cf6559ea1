/** All verbs, in the order in which one meets them. */
import type { Command } from "./command.ts";
import { adapt } from "./commands/adapt.ts";
import { artifacts } from "./commands/artifacts.ts";
import { cost } from "./commands/cost.ts";
import { demo } from "./commands/demo.ts";
import { evaluate } from "./commands/evaluate.ts";
import { fold } from "./commands/fold.ts";
import { generate } from "./commands/generate.ts";
import { inspect } from "./commands/inspect.ts";
import { predict } from "./commands/predict.ts";
import { report } from "./commands/report.ts";
import { train } from "./commands/train.ts";
import { verify } from "./commands/verify.ts";

export const COMMANDS: readonly Command[] = [demo, inspect, cost, train, evaluate, predict, generate, report, fold, verify, adapt, artifacts];
