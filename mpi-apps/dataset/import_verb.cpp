#include <sched.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>

#include "dataset/verbs.hpp"
#include "import/import.hpp"

namespace berth::apps {

namespace {

constexpr const char* examples = R"(Examples:
  dataset import housing.csv.gz -o housing.h5 --target price --missing drop
  dataset import default.csv -o default.h5 --target default --exclude rownames
  dataset import adult.csv -o adult.h5 --no-header --target column15 --missing indicator
  dataset import sms.tsv -o sms.h5 --no-header --target column1 --text column2=count --tfidf
  dataset import a9a.libsvm.gz -o a9a.h5 --dtype f32
  dataset import cells.h5ad -o cells.h5 --features /layers/counts --target /obs/cell_type
  dataset import other.h5 -o d.h5 --target /label --missing indicator --exclude id
  dataset import train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz -o mnist.h5
  srun -n 16 dataset import big.csv -o big.h5 --target y --weights w)";

constexpr int most_threads = 16;

struct options {
  import_request import;
  std::vector<std::string> types;
  std::vector<std::string> texts;
  std::vector<std::string> references;
  bool no_target = false;
  bool no_header = false;
  bool sparse = false;
  bool dense = false;
  bool progress = false;
  bool no_digest = false;
  bool json = false;
};

const std::vector<std::pair<std::string, source_format>> formats{{"csv", source_format::csv},
                                                                 {"tsv", source_format::csv},
                                                                 {"libsvm", source_format::libsvm},
                                                                 {"idx", source_format::idx},
                                                                 {"hdf5", source_format::hdf5}};
const std::vector<std::pair<std::string, missing_policy>> policies{
    {"error", missing_policy::error},
    {"drop", missing_policy::drop},
    {"mean", missing_policy::mean},
    {"indicator", missing_policy::indicator}};
const std::vector<std::pair<std::string, precision>> precisions{{"f32", precision::f32},
                                                                {"f64", precision::f64}};
const std::vector<std::pair<std::string, column_kind>> kinds{{"number", column_kind::number},
                                                             {"category", column_kind::category},
                                                             {"text", column_kind::text},
                                                             {"skip", column_kind::skipped}};

template <class Value>
std::string words_of(const std::vector<std::pair<std::string, Value>>& table) {
  std::string text;
  for (const auto& [word, value] : table) text += text.empty() ? word : ", " + word;
  return text;
}

template <class Value>
std::optional<Value> look_up(const std::vector<std::pair<std::string, Value>>& table,
                             const std::string& word) {
  const auto at = std::ranges::find(table, word, &std::pair<std::string, Value>::first);
  return at == table.end() ? std::nullopt : std::optional(at->second);
}

// An option whose value is one of a table's words.
template <class Value, class Target>
CLI::Option* add_choice(CLI::App& command, const std::string& name,
                        const std::vector<std::pair<std::string, Value>>& table, Target& target,
                        const std::string& help) {
  return command
      .add_option_function<std::string>(
          name,
          [&table, &target](const std::string& word) {
            const auto value = look_up(table, word);
            if (!value) {
              throw CLI::ValidationError("\"" + word + "\" is none of " + words_of(table));
            }
            target = *value;
          },
          help + ": " + words_of(table))
      ->type_name("");
}

void add_character(CLI::App& command, const std::string& name, std::optional<char>& target,
                   const std::string& help) {
  command
      .add_option_function<std::string>(
          name,
          [&target](const std::string& text) {
            const bool tab = text == "\\t" || text == "tab";
            if (!tab && text.size() != 1) {
              throw CLI::ValidationError("\"" + text + "\" must be one character, or tab");
            }
            target = tab ? '\t' : text.front();
          },
          help)
      ->type_name("C");
}

// COLUMN=WORD: the last equals sign divides, for columns whose names have one.
std::pair<std::string, std::string> divided(const std::string& text, const char* option) {
  const auto at = text.rfind('=');
  if (at == 0 || at == std::string::npos) {
    throw CLI::ValidationError(std::string(option) + " \"" + text + "\" must be COLUMN=VALUE");
  }
  return {text.substr(0, at), text.substr(at + 1)};
}

word_options parse_words(const std::string& text) {
  word_options words;
  if (text == "count") return words;
  words.mode = word_mode::hash;
  if (text == "hash") return words;
  const bool form = text.starts_with("hash:") && text.size() > 5 && text.size() < 8 &&
                    text.find_first_not_of("0123456789", 5) == std::string::npos;
  words.bits = form ? std::stoi(text.substr(5)) : 0;
  if (words.bits < 1 || words.bits > 24) {
    throw CLI::ValidationError("--text: \"" + text +
                               "\" must be count, hash or hash:BITS with 1 to 24 bits");
  }
  return words;
}

void read_pairs(options& chosen) {
  auto& columns = chosen.import.table.columns;
  for (const auto& each : chosen.types) {
    const auto [name, word] = divided(each, "--type");
    const auto kind = look_up(kinds, word);
    if (!kind) throw CLI::ValidationError("--type: \"" + word + "\" is none of " + words_of(kinds));
    columns.kinds.emplace_back(name, *kind);
  }
  for (const auto& each : chosen.texts) {
    const auto [name, word] = divided(each, "--text");
    columns.texts.emplace_back(name, parse_words(word));
  }
  for (const auto& each : chosen.references) {
    columns.references.push_back(divided(each, "--reference"));
  }
}

void add_columns(CLI::App& command, options& chosen) {
  auto& columns = chosen.import.table.columns;
  command
      .add_option("--target", columns.targets, "Column that becomes /y; more become its columns")
      ->type_name("COLUMN");
  command.add_flag("--no-target", chosen.no_target, "Write features alone");
  command.add_option("--weights", columns.weights, "Column that becomes /weights")
      ->type_name("COLUMN")
      ->expected(1);
  command.add_option("--exclude", columns.excluded, "Column to leave out; may be given again")
      ->type_name("COLUMN");
  command
      .add_option("--type", chosen.types,
                  "Type of a column instead of the one found: " + words_of(kinds))
      ->type_name("COLUMN=TYPE");
  command.add_option("--text", chosen.texts, "Make words of a column: count, hash or hash:BITS")
      ->type_name("COLUMN=HOW");
  command.add_flag("--tfidf", columns.tf_idf, "Weight words by TF-IDF, rows of length 1");
  command
      .add_option("--reference", chosen.references,
                  "Level that is left out (default: the first in sorted order)")
      ->type_name("COLUMN=LEVEL");
  command
      .add_option("--max-levels", chosen.import.table.rules.max_levels,
                  "Most values of a text column")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

void add_reading(CLI::App& command, options& chosen) {
  auto& request = chosen.import;
  add_choice(command, "--format", formats, request.format,
             "Format, instead of the one recognised by content");
  command.add_flag("--no-header", chosen.no_header,
                   "The first line is data; columns are column1, column2, ...");
  add_character(command, "--delimiter", request.table.delimiter,
                "Field delimiter; guessed from the first line");
  add_character(command, "--quote", request.table.quote,
                "Quote character; guessed from the first line");
  command
      .add_option("--na", request.table.rules.missing_marks,
                  "Mark of missing values besides empty, NA, NaN, nan and ?")
      ->type_name("TEXT");
  add_choice(command, "--missing", policies, request.table.rules.missing,
             "What to do about missing values (default error)");
  command.add_option("--labels", request.labels, "IDX file of the labels that become /y")
      ->type_name("FILE");
  command
      .add_option("--features", request.features_path,
                  "HDF5: where the features are; --target and --weights are paths there, too")
      ->type_name("PATH");
  command.add_option("--n-features", request.features, "LIBSVM: features, if more than occur")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
}

void add_writing(CLI::App& command, options& chosen) {
  auto& request = chosen.import;
  command.add_option("-o,--output", request.output, "HDF5 dataset to write")
      ->required()
      ->type_name("FILE.h5");
  add_choice(command, "--dtype", precisions, request.values, "Precision of /X (default f64)");
  auto* sparse = command.add_flag("--sparse", chosen.sparse, "Store only values that are not zero");
  command.add_flag("--dense", chosen.dense, "Store all values, of words and LIBSVM too")
      ->excludes(sparse);
  command.add_flag("--no-digest", chosen.no_digest, "Do not compute the SHA-256 of FILE");
  command
      .add_option("--threads", request.threads,
                  "Threads of each rank (default: all CPUs alone, "
                  "1 under mpirun and srun)")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  command.add_flag("--progress", chosen.progress, "Show progress although stderr is no terminal");
  command.add_flag("--json", chosen.json, "Print the summary as JSON");
}

int own_cpus() {
  cpu_set_t cpus;
  if (::sched_getaffinity(0, sizeof cpus, &cpus) != 0) return 1;
  return std::clamp(CPU_COUNT(&cpus), 1, most_threads);
}

result<void> settle(const CLI::App& command, const communicator& comm, options& chosen) {
  auto& request = chosen.import;
  request.table.header = !chosen.no_header;
  request.digest = !chosen.no_digest;
  if (chosen.sparse) request.layout = sparsity::sparse;
  if (chosen.dense) request.layout = sparsity::dense;
  if (chosen.progress) request.progress = progress_use::always;
  if (command.count("--threads") == 0) request.threads = comm.size() == 1 ? own_cpus() : 1;
  if (!chosen.no_target || request.table.columns.targets.empty()) return {};
  return fail("--target and --no-target exclude each other");
}

}  // namespace

verb_work add_import(CLI::App& command) {
  const auto chosen = std::make_shared<options>();
  command
      .add_option("FILE", chosen->import.source,
                  "CSV, TSV, LIBSVM, IDX (plain or gzip) or HDF5 file; - for standard input")
      ->required()
      ->type_name("");
  add_writing(command, *chosen);
  add_columns(command, *chosen);
  add_reading(command, *chosen);
  command.final_callback([chosen] { read_pairs(*chosen); });
  command.footer(examples);
  return [chosen, &command](const communicator& comm) -> result<void> {
    if (auto ok = settle(command, comm, *chosen); !ok) return ok;
    chosen->import.target_needed = !chosen->no_target;
    auto done = import_dataset(comm, chosen->import);
    if (!done) return pass(std::move(done));
    if (!comm.is_root()) return {};
    std::cout << (chosen->json ? summary_json(chosen->import, *done)
                               : summary_text(chosen->import, *done));
    return {};
  };
}

}  // namespace berth::apps
