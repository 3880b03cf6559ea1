/** The loss, step by step, as a drawing in SVG. */

const WIDTH = 720;
const HEIGHT = 260;
const LEFT = 52;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 40;
/** How much of the mean a new loss is. */
const SMOOTHING = 0.15;

/** A round step that cuts a range into about four. */
function tickStep(range: number): number {
  const rough = range / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5, 10].find((m) => m * power >= rough) ?? 10) * power;
}

function ticks(from: number, to: number): number[] {
  const step = tickStep(to - from);
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.floor(to / step) - first + 1 }, (_, i) => (first + i) * step);
}

function element(name: string, attributes: Readonly<Record<string, string | number>>, text?: string): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

/** The mean of all losses so far, of which the last ones count most. */
function smoothed(losses: readonly number[]): number[] {
  let mean = losses[0] ?? 0;
  return losses.map((loss) => (mean += SMOOTHING * (loss - mean)));
}

/** Draws the losses into `svg`; the axis of steps is as long as the whole run. */
export function drawLoss(svg: SVGElement, losses: readonly number[], totalSteps: number): void {
  const steps = Math.max(totalSteps, losses.length, 2);
  const top = Math.max(...losses, 0.1) * 1.08;
  const x = (step: number): number => LEFT + ((step - 1) / (steps - 1)) * (WIDTH - LEFT - RIGHT);
  const y = (loss: number): number => TOP + (1 - loss / top) * (HEIGHT - TOP - BOTTOM);
  const line = (values: readonly number[]): string => values.map((loss, i) => `${x(i + 1).toFixed(1)},${y(loss).toFixed(1)}`).join(" ");
  const right = WIDTH - RIGHT;
  const bottom = HEIGHT - BOTTOM;
  svg.replaceChildren(
    ...ticks(0, top).flatMap((loss) => [
      element("line", { class: "grid", x1: LEFT, x2: right, y1: y(loss), y2: y(loss) }),
      element("text", { class: "tick", x: LEFT - 8, y: y(loss) + 4, "text-anchor": "end" }, String(Number(loss.toPrecision(6)))),
    ]),
    ...ticks(1, steps).filter(Number.isInteger).map((step) => element("text", { class: "tick", x: x(step), y: bottom + 18, "text-anchor": "middle" }, String(step))),
    element("line", { class: "axis", x1: LEFT, x2: right, y1: bottom, y2: bottom }),
    element("text", { class: "name", x: (LEFT + right) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, "step"),
    element("text", { class: "name", x: -(TOP + bottom) / 2, y: 12, "text-anchor": "middle", transform: "rotate(-90)" }, "loss"),
    element("polyline", { class: "raw", points: line(losses) }),
    element("polyline", { class: "mean", points: line(smoothed(losses)) }),
  );
  svg.setAttribute("viewBox", `0 0 ${String(WIDTH)} ${String(HEIGHT)}`);
  const last = losses.at(-1);
  svg.setAttribute("aria-label", last === undefined ? "The loss by step: no step yet" : `The loss by step: ${(losses[0] ?? 0).toFixed(3)} at first, ${last.toFixed(3)} at step ${String(losses.length)}`);
}
