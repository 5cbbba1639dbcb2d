// berth rm: removes named containers of berth run, as docker rm removes containers.

#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/named_layer.hpp"
#include "cli/report.hpp"
#include "cli/verbs.hpp"
#include "container/container_options.hpp"
#include "container/id_map.hpp"

namespace berth::cli {
namespace {

constexpr const char* examples = R"(Examples:
  berth run --container-name work img.sqsh -- sh    make a container, or go on in it
  berth rm work                                     remove it with all that was written to it
  berth rm -f work old                              also if one of them does not exist

Exit code: 0 all are gone, 1 one is not or did not exist, 2 wrong usage.)";

struct options {
  std::vector<std::string> names;
  bool force = false;
};

// False: there is none.
result<bool> remove(const std::string& folder, const std::string& name) {
  const auto layer = named_layer::lock(folder, name, false);
  if (!layer) return failure(layer.error());
  if (!*layer) return false;
  if (auto removed = (*layer)->remove(); !removed) return pass(std::move(removed));
  return true;
}

// Each folder on the way down is open while it is emptied.
void allow_many_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int remove_all(const options& given) {
  for (const auto& name : given.names) {
    if (const auto valid = container::check_name(name); !valid) return report(valid.error(), 2);
  }
  const auto folder = named_folder();
  if (!folder) return report(folder.error());
  // As its root, who enters folders that they closed to themselves.
  const auto entered = container::enter_user_namespace(container::current_identity(), 0, 0);
  if (!entered) return report(entered.error());
  allow_many_descriptors();
  int exit_code = 0;
  for (const auto& name : given.names) {
    auto removed = remove(*folder, name);
    if (removed && !*removed && !given.force) {
      removed = fail("there is none; steps and jobs of Slurm are ended by: berth stop");
    }
    if (!removed) {
      exit_code =
          report(std::move(removed).error().with_context(fmt::format("container \"{}\"", name)));
    } else if (*removed) {
      fmt::print("{}\n", name);
    }
  }
  return exit_code;
}

}  // namespace

void add_rm(CLI::App& app, int& exit_code) {
  auto* verb = app.add_subcommand("rm", "Remove named containers of berth run");
  auto given = std::make_shared<options>();
  verb->add_option("NAME", given->names, "Containers")->required();
  verb->add_flag("-f,--force", given->force, "Say nothing of those that do not exist");
  verb->footer(examples);
  verb->callback([given, &exit_code] { exit_code = remove_all(*given); });
}

}  // namespace berth::cli
