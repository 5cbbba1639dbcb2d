#pragma once
// How a picture looks, but for the colours of tasks: one CSS sheet with a second one for dark
// pages, and the hatching of shared PUs.

#include <string_view>

namespace berth::pinning {

inline constexpr std::string_view svg_style = R"(<style>
text{font-family:Helvetica,Arial,"Liberation Sans",sans-serif;fill:#1f2328}
rect{stroke:#aeb7c1;stroke-width:1}
.page,.hatch{stroke:none}
.page{fill:#ffffff}
.title{font-size:17px;font-weight:bold}
.line{font-size:11px}
.dim{fill:#59636e}
.package>.box,.numa>.box{fill:#eef1f4}
.package .numa>.box,.numa .package>.box{fill:#dfe5eb}
.l3>.box,.l2>.box{fill:#f8f9fb}
.core>.box{fill:#ffffff;stroke:#8b949e}
.memory>.box{fill:#fff1cc;stroke:#bf8700}
.device>.box{fill:#d9f0df;stroke:#2f8f4e}
.label{font-size:11px}
.l3>.label,.l2>.label{font-size:9px}
.core>.label{font-size:7px}
.chip{font-size:9px;fill:#1f2328}
.used{stroke:#3d444d}
.idle{fill:#ffffff;stroke-dasharray:2 2}
.off{fill:#b8c0c9;stroke:#8b949e}
.task{font-size:13px;font-weight:bold;text-anchor:middle;fill:#000000}
.halo{stroke:#ffffff;stroke-width:3;stroke-linejoin:round;paint-order:stroke}
.index{font-size:7px;text-anchor:middle}
.black{fill:#000000}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}
rect{stroke:#58606a}
.page{fill:#0d1117}
.dim{fill:#9ea7b0}
.package>.box,.numa>.box{fill:#1a2029}
.package .numa>.box,.numa .package>.box{fill:#272f3a}
.l3>.box,.l2>.box{fill:#171c24}
.core>.box{fill:#0d1117;stroke:#7d8590}
.idle{fill:#0d1117}
.off{fill:#4b535d;stroke:#7d8590}
}
</style>
<defs><pattern id="shared" width="6" height="6" patternUnits="userSpaceOnUse"><path
d="M-1 1l2-2M0 6l6-6M5 7l2-2" stroke="#000000" stroke-opacity="0.45"/></pattern></defs>
)";

}  // namespace berth::pinning
