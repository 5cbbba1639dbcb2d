#pragma once
// Numbers of a model as tables.

#include <string>

#include "models/report.hpp"

namespace berth::apps {

/// Name, estimate, standard error, interval, t or z, p. Each estimate has all its digits in the
/// attribute data-value.
std::string coefficient_table(const model& fitted, const target_fit& target);
std::string statistic_table(const target_fit& target);

/// Data, solver, condition, digits, ranks.
std::string fact_table(const model& fitted, const run_facts& run);
/// Parts of the run against the machine's peaks; empty where nothing was logged.
std::string speed_table(const run_facts& run);

}  // namespace berth::apps
