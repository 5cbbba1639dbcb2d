#include "container/mpi_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace berth::container {
namespace {

using image::mpi_facts;
using image::mpi_kind;
using image::mpi_library;

enum class service { none, pmix, pmi };

service service_of(const std::string& chosen) {
  if (chosen.starts_with("pmix")) return service::pmix;
  return chosen.empty() || chosen == "none" || chosen == "openmpi" ? service::none : service::pmi;
}

std::string title(const mpi_library& library) {
  return fmt::format("{}{}{}", name_of(library.kind), library.version.empty() ? "" : " ",
                     library.version);
}

std::uint64_t major(const std::string& version) {
  return parse_unsigned(version.substr(0, version.find('.'))).value_or(0);
}

bool offers(const host_mpi& host, std::string_view plugin) {
  return std::find(host.available.begin(), host.available.end(), plugin) != host.available.end();
}

std::string advice(const host_mpi& host, std::string_view plugin) {
  if (offers(host, plugin)) return fmt::format("add --mpi={}", plugin);
  return fmt::format("it needs --mpi={}, which this cluster's Slurm lacks", plugin);
}

mpi_plan lonely(const std::string& why, const std::string& cure) {
  return {"none", {}, fmt::format("{}: every task would be rank 0 of 1; {}", why, cure)};
}

bool talks(const image::pmix_client& client, const host_mpi& host) {
  const auto server = major(host.pmix);
  if (major(client.version) == 1) return server != 0 && server < 4;
  if (major(client.version) != 2) return true;
  const auto& version = client.version;
  const bool early =
      version == "2.1.0" || version == "2.0.0" || version == "2.0.1" || version == "2.0.2";
  return !early || server == 2;
}

mpi_plan through_pmix(const mpi_library& library, const mpi_facts& image, const host_mpi& host) {
  for (const auto& client : image.pmix) {
    if (talks(client, host)) return {fmt::format("PMIx {}", client.version), {}, {}};
  }
  if (!image.pmix.empty()) {
    return lonely(fmt::format("the image's PMIx {} cannot talk to this cluster's PMIx {}",
                              image.pmix.front().version, host.pmix),
                  "put PMIx 2.1.1 or later into the image, as Open MPI 4 has it");
  }
  // One that was built in one piece has its client inside.
  const bool in_one_piece =
      library.kind == mpi_kind::open_mpi && !image.open_mpi_plugins && major(library.version) < 5;
  if (in_one_piece) return {"PMIx", {}, {}};
  if (library.kind == mpi_kind::open_mpi) {
    return lonely(fmt::format("the image's {} has no PMIx client (libpmix.so.2)", title(library)),
                  "install it in the image, for instance Debian's libpmix2");
  }
  return lonely(fmt::format("the image's {} has no PMIx client (libpmix.so.2) for --mpi={}",
                            title(library), host.chosen),
                advice(host, "pmi2"));
}

mpi_plan of_open_mpi(const mpi_library& library, const mpi_facts& image, const host_mpi& host) {
  switch (service_of(host.chosen)) {
    case service::pmix:
      return through_pmix(library, image, host);
    case service::pmi:
      if (major(library.version) < 5 && !image.pmi2.empty()) return {"PMI-2", {}, {}};
      return lonely(fmt::format("the image's {} cannot use --mpi={}", title(library), host.chosen),
                    advice(host, "pmix"));
    case service::none:
      break;
  }
  return lonely(fmt::format("the image has {} and the step --mpi=none", title(library)),
                advice(host, "pmix"));
}

mpi_plan of_mpich(const mpi_library& library, const mpi_facts& image, const host_mpi& host) {
  switch (service_of(host.chosen)) {
    case service::pmix:
      return through_pmix(library, image, host);
    case service::pmi:
      return {"PMI-1 or PMI-2", {}, {}};  // its own client, no library needed
    case service::none:
      break;
  }
  return lonely(fmt::format("the image has {} and the step --mpi=none", title(library)),
                advice(host, "pmi2"));
}

mpi_plan of_intel(const mpi_library& library, const mpi_facts& image, const host_mpi& host,
                  bool own_pmi_library) {
  const auto offered = service_of(host.chosen);
  if (offered == service::none) {
    return lonely(fmt::format("the image has {} and the step --mpi=none", title(library)),
                  advice(host, "pmi2"));
  }
  if (own_pmi_library) return {offered == service::pmix ? "PMIx" : "PMI-2", {}, {}};
  if (offered == service::pmix) {
    return lonely(fmt::format("the image's {} cannot use --mpi={}", title(library), host.chosen),
                  advice(host, "pmi2"));
  }
  if (!image.pmi2.empty()) {
    return {"PMI-2", {{"I_MPI_PMI_LIBRARY", image.pmi2, "mpi"}}, {}};
  }
  return lonely(
      fmt::format("the image's {} finds no PMI-2 client (libpmi2.so.0)", title(library)),
      "install Slurm's in the image, or mount the node's and name it in I_MPI_PMI_LIBRARY");
}

mpi_plan plan_for(const mpi_library& library, const mpi_facts& image, const host_mpi& host,
                  bool own_pmi_library) {
  switch (library.kind) {
    case mpi_kind::open_mpi:
      return of_open_mpi(library, image, host);
    case mpi_kind::mpich:
      return of_mpich(library, image, host);
    case mpi_kind::intel:
      break;
  }
  return of_intel(library, image, host, own_pmi_library);
}

}  // namespace

host_mpi host_from(const std::string& chosen, const std::vector<std::string>& files) {
  constexpr std::string_view start = "mpi_";
  constexpr std::string_view end = ".so";
  host_mpi host;
  host.chosen = chosen;
  for (const std::string_view file : files) {
    if (!file.starts_with(start) || !file.ends_with(end)) continue;
    const auto name = file.substr(start.size(), file.size() - start.size() - end.size());
    host.available.emplace_back(name);
    const bool versioned = name.starts_with("pmix_v");
    const bool meant = chosen == "pmix" || chosen == name;
    if (versioned && (host.pmix.empty() || meant)) host.pmix = name.substr(6);
  }
  return host;
}

mpi_plan plan_mpi(const image::mpi_facts& image, const host_mpi& host, bool own_pmi_library) {
  std::optional<mpi_plan> first;
  for (const auto& library : image.libraries) {
    auto plan = plan_for(library, image, host, own_pmi_library);
    if (plan.warning.empty()) return plan;
    if (!first) first = std::move(plan);
  }
  return first.value_or(mpi_plan{"none", {}, {}});
}

}  // namespace berth::container
