/** Numbers as people read them. Figures for programs are in `--json`, unrounded. */

/** 1234567 → "1,234,567"; at most `digits` places after the point. By hand: the first toLocaleString of a process loads ICU's tables, 60 ms of a command that takes 900. */
export function grouped(value: number, digits = 0): string {
  if (!Number.isFinite(value) || Math.abs(value) >= 1e21) return String(value);
  const [whole = "", places = ""] = value.toFixed(digits).split(".");
  const rest = places.replace(/0+$/, "");
  return `${whole.replace(/\B(?=(\d{3})+$)/g, ",")}${rest === "" ? "" : `.${rest}`}`;
}

const UNITS = ["kB", "MB", "GB", "TB"] as const;

/** Floating point operations, three figures: "812 MFLOP", "1.2 GFLOP". */
export function operations(count: number): string {
  const units = ["FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP"] as const;
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit > 0 && value < 99.95 ? value.toFixed(1) : grouped(value)} ${units[unit] ?? ""}`;
}

/** Bytes in decimal units, three figures: "812 bytes", "9.4 kB", "90.9 MB". */
export function bytes(count: number): string {
  if (count < 1000) return count === 1 ? "1 byte" : `${grouped(count)} bytes`;
  let value = count / 1000;
  let unit = 0;
  // From 999.5 on a value rounds to 1,000 and belongs to the next unit.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 99.95 ? value.toFixed(1) : grouped(value)} ${UNITS[unit] ?? ""}`;
}

/** Seconds in words: "0.42 s", "12.3 s", "2 min 05 s", "1 h 02 min". */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "-";
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  if (minutes < 60) return `${String(minutes)} min ${String(Math.round(seconds) % 60).padStart(2, "0")} s`;
  const rounded = Math.round(seconds / 60);
  return `${grouped(Math.floor(rounded / 60))} h ${String(rounded % 60).padStart(2, "0")} min`;
}

/** Seconds as a clock shows them: "0:07", "12:34", "1:02:03". */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (n: number): string => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours === 0 ? `${String(minutes)}:${two(whole % 60)}` : `${String(hours)}:${two(minutes)}:${two(whole % 60)}`;
}

/** "12,345 of 22,713,216 (0.054 %)". */
export function share(part: number, whole: number): string {
  const percent = whole === 0 ? 0 : (100 * part) / whole;
  return `${grouped(part)} of ${grouped(whole)} (${percent >= 10 ? percent.toFixed(1) : Number(percent.toPrecision(2)).toString()} %)`;
}

/** Any figure in at most about five characters of precision: "0.4312", "12,345", "3.0e-5", "0". */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (Number.isInteger(value) || size >= 1000) return grouped(value);
  if (size < 0.001) return value.toExponential(1);
  return size >= 10 ? value.toFixed(2) : value.toFixed(4);
}

/** `eval_accuracy` → "eval accuracy": a metric's name as a label. */
export function label(name: string): string {
  return name.replaceAll("_", " ");
}
