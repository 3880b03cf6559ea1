import assert from "node:assert/strict";
import { METHODS } from "../../../src/methods/registry.ts";
import { STYLE } from "../../../src/runtime/report/style.ts";

type Rgb = readonly [number, number, number];

/** A variable's colour in light and in dark. */
function colorsOf(name: string): [Rgb, Rgb] {
  const [, light = "", dark = ""] = new RegExp(`--${name}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\)`).exec(STYLE) ?? [];
  const rgb = (hex: string): Rgb => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)) as unknown as Rgb;
  return [rgb(light), rgb(dark)];
}

/** WCAG's contrast of two colours. */
function contrast(a: Rgb, b: Rgb): number {
  const luminance = (rgb: Rgb): number => rgb.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * ([0.2126, 0.7152, 0.0722][i] ?? 0), 0);
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

const mixed = (a: Rgb, b: Rgb, share: number): Rgb => a.map((v, i) => share * v + (1 - share) * (b[i] ?? 0)) as unknown as Rgb;

describe("the colours of a report's page", () => {
  for (const [scheme, i] of [["light", 0], ["dark", 1]] as const) {
    it(`can be read: ${scheme}`, () => {
      const of = (name: string): Rgb => colorsOf(name)[i];
      for (const ground of ["ground", "card"]) for (const text of ["ink", "faint"]) assert.ok(contrast(of(text), of(ground)) >= 4.5, `${text} on ${ground}: ${String(contrast(of(text), of(ground)))}`);
      for (const { name } of METHODS) assert.ok(contrast(of(name), of("card")) >= 3, `${name}: ${String(contrast(of(name), of("card")))}`);
      // The strongest shades that page.ts puts behind text.
      assert.ok(contrast(of("ink"), mixed(of("red"), of("card"), 0.75)) >= 4.5, `on the reddest word: ${String(contrast(of("ink"), mixed(of("red"), of("card"), 0.75)))}`);
      assert.ok(contrast(of("ink"), mixed(of("blue"), of("card"), 0.55)) >= 4.5, `on the fullest cell: ${String(contrast(of("ink"), mixed(of("blue"), of("card"), 0.55)))}`);
    });
  }
});
