/** Vega-Lite specifications → SVG as text. No DOM takes part, and nothing is asked of any server: data stand in the specification. */
import { escapeHtml, Html } from "./html.ts";

/** A Vega-Lite specification, as JSON. */
export type Spec = Readonly<Record<string, unknown>>;

/** The width that pictures are laid out for, in CSS pixels: what a phone of 390 leaves between its margins. Drawn so, their text keeps its size there. */
const CHART_WIDTH = 340;

/** The colours are the page's variables, so one drawing serves light and dark. */
const THEME: Spec = {
  background: null, aria: false, font: "system-ui, sans-serif", padding: 2,
  view: { stroke: null },
  axis: {
    labelFont: "system-ui, sans-serif", titleFont: "system-ui, sans-serif", labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", titlePadding: 8, labelPadding: 4,
    labelColor: "var(--faint)", titleColor: "var(--faint)", gridColor: "var(--line)", domainColor: "var(--axis)", tickColor: "var(--axis)", domain: false, tickSize: 4, labelLimit: 130, labelOverlap: "greedy", labelSeparation: 6, labelFlush: false,
  },
};

/** Draws one picture. `label` says what is to be seen, to those who don't see it. */
export async function draw(spec: Spec, label: string): Promise<Html> {
  const [{ parse, View }, { compile }] = await Promise.all([import("vega"), import("vega-lite")]);
  const whole = { autosize: { type: "fit", contains: "padding" }, width: CHART_WIDTH, height: 240, ...spec, config: THEME } as unknown as Parameters<typeof compile>[0];
  const svg = await new View(parse(compile(whole).spec), { renderer: "none" }).toSVG();
  const size = /^<svg [^>]*viewBox="([-\d. ]+)"[^>]*>/.exec(svg);
  if (size?.[1] === undefined) throw new TypeError("Vega draws an SVG with a viewBox");
  return new Html(`<svg viewBox="${size[1]}" role="img" aria-label="${escapeHtml(label)}">${svg.slice(size[0].length)}`);
}
