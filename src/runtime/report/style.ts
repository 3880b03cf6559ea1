/** The page's style sheet. Colours are variables with a value for light and one for dark, of at least 4.5:1 for text and 3:1 for marks on either ground; series keep apart for colour-blind eyes (after Okabe and Ito). */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f7f7f5, #121416); --card: light-dark(#ffffff, #1b1e22); --ink: light-dark(#1c1e21, #e8e9eb); --faint: light-dark(#5a6068, #a3a9b1);
  --line: light-dark(#e4e5e3, #2f343a); --axis: light-dark(#8b9097, #757c85); --red: light-dark(#e5484d, #e5484d); --blue: light-dark(#0b6fb0, #3d9fdd);
  --hut: light-dark(#0b6fb0, #56b4f0); --lora: light-dark(#c24e00, #ff8f52); --dora: light-dark(#00805e, #3ccf9f); --loha: light-dark(#a8397f, #f08cc6); --ia3: light-dark(#846600, #e0bd45);
  --vera: light-dark(#6a4bb5, #b9a0ff); --bitfit: light-dark(#00808a, #4fd0da); --head: light-dark(#666b72, #a9aeb6); --full: light-dark(#1c1e21, #f0f0f0);
  --series-1: var(--hut); --series-2: var(--lora); --series-3: var(--dora); --series-4: var(--loha); --series-5: var(--ia3); --series-6: var(--vera); --series-7: var(--bitfit); --series-8: var(--head);
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; overflow-wrap: break-word; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 20px 48px; }
h1 { margin: 0; font-size: 1.65rem; line-height: 1.25; font-weight: 650; letter-spacing: -0.01em; text-wrap: balance; }
h2 { margin: 40px 0 12px; font-size: 1.2rem; line-height: 1.3; font-weight: 650; text-wrap: balance; }
h3 { margin: 0 0 2px; font-size: 1rem; line-height: 1.35; font-weight: 600; }
p { margin: 0 0 10px; }
.lead, .note, caption, dt, th, .tag { color: var(--faint); }
.lead { margin-top: 6px; max-width: 72ch; }
.note { font-size: 0.875rem; line-height: 1.4; margin: 0 0 8px; max-width: 72ch; }
.grid { display: grid; gap: 14px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr)); align-items: start; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px 12px; margin: 0; min-width: 0; }
.grid.fill { grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); align-items: stretch; }
.grid + .stack { margin-top: 14px; }
.stack > * + * { margin-top: 14px; }
svg { display: block; width: 100%; height: auto; max-width: 410px; margin: 6px auto 0; }
svg.swatch { display: inline-block; width: 26px; height: 8px; margin: 0 7px 0 0; }
ul.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 8px 0 0; padding: 0; list-style: none; font-size: 0.875rem; }
.legend span { margin-right: 6px; }
figure { display: flex; flex-direction: column; }
figure .legend { margin-top: auto; padding-top: 8px; }
svg text { font-family: inherit; }
dl.facts { display: grid; gap: 10px 14px; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); margin: 18px 0 0; }
dl.facts > div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 14px; }
dt { font-size: 0.875rem; }
dd { margin: 0; font-size: 1.15rem; font-weight: 600; font-variant-numeric: tabular-nums; }
dd small { font-size: 0.875rem; font-weight: 400; color: var(--faint); display: block; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.card .scroll { border: 0; border-radius: 0; }
dl.plain { display: grid; gap: 10px 20px; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); }
dl.plain dd { font-size: 1rem; font-weight: 500; overflow-wrap: anywhere; }
details > summary { cursor: pointer; }
summary h3 { display: inline; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; min-width: 100%; }
th, td { padding: 7px 12px; text-align: left; vertical-align: baseline; border-top: 1px solid var(--line); white-space: nowrap; }
thead th { border-top: 0; font-weight: 500; }
tbody th { font-weight: 500; color: var(--ink); }
tbody th, thead > tr > :first-child { position: sticky; left: 0; background: var(--card); }
.n { text-align: right; }
td small { color: var(--faint); font-size: 0.8rem; }
td.wrap { white-space: normal; overflow-wrap: anywhere; min-width: 16ch; }
.dot { display: inline-block; width: 0.65em; height: 0.65em; border-radius: 50%; background: var(--c); margin-right: 0.5em; }
.best { font-weight: 650; }
.confusion td { text-align: center; background: color-mix(in srgb, var(--blue) var(--s), transparent); min-width: 76px; }
.confusion td small { color: var(--ink); opacity: 0.85; display: block; }
.confusion td, .confusion th { white-space: normal; }
.confusion thead td, .confusion thead th { border: 0; background: none; }
.grid.even { align-items: stretch; }
.card td, .card th { padding: 6px 5px; font-size: 0.85rem; } .card tr > :first-child { padding-left: 0; }
.confusion caption { caption-side: bottom; text-align: left; font-size: 0.875rem; padding: 8px 0 0; }
ol.worst { margin: 6px 0 0; padding: 0; list-style: none; }
ol.worst li { padding: 9px 0; border-top: 1px solid var(--line); }
ol.worst li:first-child { border-top: 0; }
.text { overflow-wrap: anywhere; }
.tag { font-size: 0.875rem; }
.tag b { color: var(--ink); font-weight: 600; }
.pair { display: grid; gap: 6px 22px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr)); padding: 12px 0; border-top: 1px solid var(--line); }
.pair:first-of-type { border-top: 0; }
.w { border-radius: 3px; padding: 1px 2px; background: color-mix(in srgb, var(--red) var(--s), transparent); }
.words { line-height: 1.75; overflow-wrap: anywhere; }
ul.notes { margin: 0; padding-left: 1.2em; }
footer { margin-top: 40px; color: var(--faint); font-size: 0.875rem; }
@media (max-width: 480px) { main { padding: 20px 12px 36px; } .card { padding: 12px 11px 10px; } h1 { font-size: 1.4rem; } th, td { padding: 6px 9px; } }
@media print { body { background: none; } .card, .scroll, figure { break-inside: avoid; } }
`;
