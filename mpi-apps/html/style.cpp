#include "html/style.hpp"

namespace berth::apps {

const char* const page_style = R"(
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2430; --soft: #5b6675; --rule: #d5dae1;
  --panel: #f5f7f9; --dot: #2a6fb0; --mark: #c23b22; --trend: #c23b22; --guide: #8a94a3;
  --warn: #8a4b00; --warn-paper: #fff3df; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14181e; --ink: #e3e8ee; --soft: #9aa5b3; --rule: #333c47; --panel: #1c222a;
    --dot: #6db3f2; --mark: #ff8a70; --trend: #ff8a70; --guide: #6d7886;
    --warn: #ffc46b; --warn-paper: #33270f; }
}
@media print { :root { --paper: #fff; --ink: #000; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 64rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--rule);
  overflow-wrap: anywhere; }
p { margin: .4rem 0; }
.lead { color: var(--soft); overflow-wrap: anywhere; }
.columns { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; align-items: flex-start; }
.scroll { max-height: 34rem; overflow: auto; border: 1px solid var(--rule); border-radius: 4px; }
table { border-collapse: collapse; font-size: .9rem; }
.scroll table { width: 100%; }
th, td { padding: .2rem .7rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
tbody tr { border-top: 1px solid var(--rule); }
tbody tr:first-child { border-top: 0; }
tbody th { font-weight: 500; max-width: 22rem; }
thead th { position: sticky; top: 0; background: var(--panel); font-weight: 600; text-align: right;
  white-space: nowrap; }
thead th:first-child { text-align: left; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.warning { color: var(--warn); background: var(--warn-paper); padding: .4rem .7rem; border-radius: 4px; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 1rem; }
figure { margin: 0; background: var(--panel); border: 1px solid var(--rule); border-radius: 4px;
  padding: .6rem; break-inside: avoid; }
figure.wide { grid-column: 1 / -1; margin: 1rem 0; overflow-x: auto; }
figure.wide svg { min-width: 36rem; }
figcaption { font-weight: 600; font-size: .95rem; margin-bottom: .3rem; }
svg { display: block; width: 100%; height: auto; font-family: inherit; }
svg text { fill: var(--ink); }
.frame { fill: var(--paper); stroke: var(--rule); }
.grid { stroke: var(--rule); stroke-width: .7; fill: none; }
.zero { stroke: var(--guide); stroke-width: 1.2; }
.tick { font-size: 11px; }
svg .tick { fill: var(--soft); }
.axis { font-size: 12px; }
.name, .note { font-size: 10.5px; }
svg .note { fill: var(--soft); }
.dots { fill: none; stroke: var(--dot); stroke-width: 3.6; stroke-linecap: round; stroke-opacity: .55; }
.mark { fill: var(--mark); }
.trend { fill: none; stroke: var(--trend); stroke-width: 1.6; }
.guide { fill: none; stroke: var(--guide); stroke-dasharray: 5 4; }
.contour { fill: none; stroke: var(--guide); stroke-dasharray: 2 3; }
.interval { stroke-width: 2.2; fill: none; }
.clear .interval { stroke: var(--dot); } .clear circle { fill: var(--dot); }
.unclear .interval { stroke: var(--guide); } .unclear circle { fill: var(--guide); }
.c0 { fill: #4477aa; } .c1 { fill: #ee6677; } .c2 { fill: #228833; } .c3 { fill: #ccbb44; }
.c4 { fill: #66ccee; } .c5 { fill: #aa3377; } .c6 { fill: #999999; } .c7 { fill: #ee8866; }
)";

}  // namespace berth::apps
