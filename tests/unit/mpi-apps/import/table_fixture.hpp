#pragma once
// Tables as texts, surveyed as a file is.

#include <gtest/gtest.h>

#include "import/table_encoding.hpp"
#include "temporary_folder.hpp"

namespace berth::apps {

class Table : public testing::Test {
 protected:
  result<source_file> open(const std::string& text) {
    return source_file::open(communicator::alone(), folder.write("t.csv", text),
                             folder.file("out.h5"));
  }

  /// The first pass in `parts` parts at once.
  result<table_survey> survey(const std::string& text, const table_options& options = {},
                              std::size_t parts = 1) {
    const auto source = open(text);
    if (!source) return failure(source.error());
    auto head = read_head(*source, options);
    if (!head) return pass(std::move(head));
    return survey_table(communicator::alone(), {0, parts, parts}, *source, std::move(*head),
                        options.rules, [](std::int64_t) {});
  }

  result<table_encoding> plan(const std::string& text, const table_options& options) {
    auto found = survey(text, options);
    if (!found) return pass(std::move(found));
    return plan_encoding(*found, options.rules, options.columns);
  }

  static table_options target(const std::string& name) {
    table_options options;
    options.columns.targets = {name};
    return options;
  }

  temporary_folder folder;
};

}  // namespace berth::apps
