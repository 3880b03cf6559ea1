/** What `--print-config` shows: each option that is in force, and where it comes from. */
import { list } from "../../errors/hut-error.ts";
import { flagUsage, type Flag } from "../flag.ts";
import { inHelpOrder } from "../program.ts";
import { printable } from "../printable.ts";
import { table } from "../table.ts";
import type { InForce } from "./in-force.ts";

/** Of one option. `value` is null where the default depends on model, data or other options; `note` then says on what. */
interface Reported {
  readonly value: unknown;
  readonly from: "flag" | "file" | "default";
  readonly note?: string;
}

/** The object for `--json`. */
export interface ConfigReport {
  readonly verb: string;
  /** The config file that was read; null where there is none. */
  readonly config: string | null;
  readonly model: Reported | null;
  readonly options: Readonly<Record<string, Reported>>;
  /** Flags that the verb can't do without and that nothing gives. */
  readonly missing: readonly string[];
}

/** Options in force, in the order of the verb's help. */
export function configReport({ command, file, model, values, from }: InForce): ConfigReport {
  const inOrder = inHelpOrder(Object.values(command.flags));
  const entries = Object.entries(command.flags).sort(([, a], [, b]) => inOrder.indexOf(a) - inOrder.indexOf(b));
  const options = entries.flatMap(([option, flag]): [string, Reported][] => {
    const origin = from.get(option);
    if (origin !== undefined) return [[option, { value: values[option], from: origin }]];
    return flag.default === undefined ? [] : [[option, { ...defaultOf(flag), from: "default" }]];
  });
  const missing = entries.filter(([option, flag]) => flag.required === true && values[option] === undefined).map(([, flag]) => flagUsage(flag.flags));
  return { verb: command.name, config: file ?? null, model: model ?? null, options: Object.fromEntries(options), missing: [...(command.takes === "model" && model === undefined ? ["MODEL"] : []), ...missing] };
}

/** The same as lines. */
export function configLines(report: ConfigReport): string[] {
  const rows = [...(report.model === null ? [] : [["MODEL", report.model] as const]), ...Object.entries(report.options)];
  return [
    report.config === null ? "No config file." : `Config file: ${printable(report.config)}`,
    ...table([{ title: "option" }, { title: "value" }, { title: "from" }],
      rows.map(([option, { value, from, note }]) => [option, note ?? (Array.isArray(value) ? value.join(",") : String(value)), from === "file" ? report.config ?? from : from])),
    ...(report.missing.length === 0 ? [] : ["", `Still needed: ${list(report.missing)}`]),
  ];
}

/** The default as a value, where help tells it as one. */
function defaultOf(flag: Flag<unknown>): Pick<Reported, "value" | "note"> {
  const { default: words = "", kind } = flag;
  if (kind.type === "number" && Number.isFinite(Number(words))) return { value: Number(words) };
  if ((kind.type === "choice" && kind.known.includes(words)) || kind.type === "choices" || kind.type === "names") return { value: flag.parse?.(words, undefined) };
  return { value: null, note: words };
}
