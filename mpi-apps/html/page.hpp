#pragma once
// A fitted model as a page that needs nothing else: no network, no script.

#include <string>

#include "common/error.hpp"
#include "models/report.hpp"

namespace berth::apps {

/// HTML that is also well-formed XML: tables of facts, statistics and coefficients, and pictures of
/// intervals, residuals and time. About 100 KB, and 300 bytes a coefficient.
std::string report_page(const model& fitted, const run_facts& run);

/// Writes it to `path`, which keeps what it had when writing fails.
result<void> write_page(const std::string& path, const std::string& page);

}  // namespace berth::apps
