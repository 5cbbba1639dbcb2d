#pragma once
// The MPI part of --container-explain.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "container/mpi_plan.hpp"
#include "image/mpi.hpp"

namespace berth::cli {

struct mpi_explanation {
  image::mpi_facts image;
  container::host_mpi host;  ///< of Slurm on this machine; empty for `berth run`
  container::mpi_plan plan;
};

/// `slurm`: "CHOSEN:FOLDER", the step's --mpi and Slurm's plugin folder, or empty without Slurm.
mpi_explanation explain_mpi(image::mpi_facts image, const std::string& slurm, bool own_pmi_library);

/// One line each.
std::vector<std::string> lines_of(const mpi_explanation& mpi);
nlohmann::ordered_json json_of(const mpi_explanation& mpi);

}  // namespace berth::cli
