#pragma once
// All that is known of a table before it is encoded: its head, what the user wants of each column,
// and what the first pass found.

#include "common/mpi.hpp"
#include "import/table_parts.hpp"

namespace berth::apps {

/// What the command line says about columns, by name.
struct column_requests {
  std::vector<std::string> targets;
  std::vector<std::string> weights;   // at most one
  std::vector<std::string> excluded;  // same as kind skipped
  std::vector<std::pair<std::string, column_kind>> kinds;
  std::vector<std::pair<std::string, word_options>> texts;
  std::vector<std::pair<std::string, std::string>> references;  // column, level
  bool tf_idf = false;                                          // of all text columns
};

struct table_options {
  std::optional<char> delimiter;  // guessed from the first line when absent
  std::optional<char> quote;
  bool header = true;  // the first line names the columns; else column1, column2, ...
  column_requests columns;
  table_rules rules;
};

/// Reads the first record and guesses the kind of each column from the next ones. Errors: no
/// header, two columns of one name, requests for columns that do not exist (with the list of those
/// that do) or that contradict each other.
result<table_head> read_head(const source_file& source, const table_options& options);

/// Gives the columns the kinds and the roles that are asked for, and leaves out the excluded.
/// Errors: columns that do not exist (with the list of those that do), requests that contradict
/// each other.
result<void> apply_requests(std::vector<table_column>& columns, const column_requests& wanted);

struct table_survey {
  table_head head;  // with the kinds that hold for the whole table
  table_facts facts;
  std::vector<part_place> places;
};

/// The first pass. A later row may show that a column of numbers is one of categories: the pass is
/// then made again with what was learned. Collective, agreed.
result<table_survey> survey_table(const communicator& comm, part_range range,
                                  const source_file& source, table_head head,
                                  const table_rules& rules, const progress_callback& progress);

}  // namespace berth::apps
