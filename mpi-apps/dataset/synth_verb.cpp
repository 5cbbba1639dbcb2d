#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "dataset/synth.hpp"
#include "dataset/verbs.hpp"

namespace berth::apps {

namespace {

constexpr const char* examples = R"(Examples:
  dataset synth -o lin.h5 --rows 100000 --features 50
  dataset synth -o hard.h5 --rows 10000 --features 20 --condition 1e8
  dataset synth -o log.h5 --rows 1e6 --features 200 --task logistic --correlation 0.95
  dataset synth -o text.h5 --rows 1e6 --features 1e5 --task logistic --density 0.001
  mpirun -n 8 dataset synth -o big.h5 --rows 6.25e6 --features 200 --seed 7)";

struct options {
  synth_request request;
  bool json = false;
};

// 1e6 is a number of rows too.
CLI::Validator whole_number() {
  return CLI::Validator(
      [](std::string& text) {
        double value = 0;
        if (!CLI::detail::lexical_cast(text, value)) return "not a number: " + text;
        if (value != std::trunc(value) || std::abs(value) > 0x1p53) return "not whole: " + text;
        text = std::to_string(static_cast<std::int64_t>(value));
        return std::string();
      },
      "");
}

void describe_model(CLI::App& command, synth_request& request) {
  const std::map<std::string, synth_task> tasks{{"linear", synth_task::linear},
                                                {"logistic", synth_task::logistic},
                                                {"multiclass", synth_task::multiclass}};
  command.add_option("--task", request.task, "linear, logistic or multiclass")
      ->transform(CLI::CheckedTransformer(tasks).description(""))
      ->type_name("TASK")
      ->default_str("linear");
  command.add_option("--classes", request.classes, "Classes of --task multiclass")
      ->type_name("K")
      ->capture_default_str();
  command
      .add_option("--noise", request.noise,
                  "linear: standard deviation, 1 unless given; else the share of labels that are "
                  "drawn blindly, 0 unless given")
      ->type_name("S");
  command
      .add_option("--condition", request.condition,
                  "Condition number of X: its largest over its smallest singular value")
      ->type_name("KAPPA");
  command
      .add_option("--correlation", request.correlation,
                  "Correlation of neighbouring columns; RHO^d at distance d")
      ->type_name("RHO")
      ->capture_default_str();
  command
      .add_option("--density", request.density, "Write sparse rows (CSR); share of entries present")
      ->type_name("D");
}

void describe_options(CLI::App& command, options& chosen) {
  auto& request = chosen.request;
  command.add_option("-o,--output", request.output, "HDF5 dataset to write")
      ->required()
      ->type_name("FILE.h5");
  command.add_option("--rows", request.rows, "Rows")
      ->required()
      ->transform(whole_number())
      ->type_name("M");
  command.add_option("--features", request.features, "Features")
      ->required()
      ->transform(whole_number())
      ->type_name("N");
  describe_model(command, request);
  command.add_option("--seed", request.seed, "Another seed, other data")
      ->type_name("N")
      ->capture_default_str();
  command.add_option("--dtype", "f64 or f32: how X is stored")
      ->check(CLI::IsMember({"f64", "f32"}).description(""))
      ->type_name("TYPE")
      ->default_str("f64");
  command.add_flag("--json", chosen.json, "Print the summary as JSON");
  command.footer(examples);
}

}  // namespace

verb_work add_synth(CLI::App& command) {
  const auto chosen = std::make_shared<options>();
  describe_options(command, *chosen);
  return [chosen, &command](const communicator& comm) -> result<void> {
    auto& request = chosen->request;
    if (command.count("--dtype") > 0)
      request.single = command["--dtype"]->as<std::string>() == "f32";
    if (command.count("--noise") == 0) request.noise = request.task == synth_task::linear ? 1 : 0;
    if (command.count("--classes") > 0 && request.task != synth_task::multiclass) {
      return fail("--classes is for --task multiclass");
    }
    auto truth = synthesize(comm, request);
    if (!truth) return pass(std::move(truth));
    if (comm.is_root()) {
      std::cout << (chosen->json ? synth_json(request, *truth) : synth_text(request, *truth));
    }
    return {};
  };
}

}  // namespace berth::apps
