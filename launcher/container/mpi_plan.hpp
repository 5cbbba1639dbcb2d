#pragma once
// Will the ranks of a step find each other? Decided on the login node from names alone: the MPI in
// the image, and what this cluster's Slurm offers.

#include <string>
#include <vector>

#include "container/environment.hpp"
#include "image/mpi.hpp"

namespace berth::container {

/// What Slurm offers to MPI libraries.
struct host_mpi {
  std::string chosen;                  ///< --mpi, or MpiDefault: "none", "pmix", "pmix_v4", "pmi2"
  std::vector<std::string> available;  ///< Slurm's plugins: "pmi2", "pmix", "pmix_v4"
  std::string pmix;                    ///< its server's version: "4.2" or "4"; empty: unknown
};

struct mpi_plan {
  std::string wiring;  ///< "PMIx 4.2", "PMI-2", "PMI-1 or PMI-2"; "none" without any
  std::vector<environment_edit> environment;  ///< what the MPI needs beside that
  std::string warning;  ///< one sentence with the cure; empty when nothing speaks against it
};

/// Slurm's plugins of MPI, by the names of the files in its plugin folder: "mpi_pmix_v4.so".
host_mpi host_from(const std::string& chosen, const std::vector<std::string>& files);

/// What the MPI of an image finds. Of several the first that fits counts; the warning is that of
/// the first when none does. An image without MPI has the wiring "none" and no warning.
/// `own_pmi_library`: the user or the image says where Intel MPI finds PMI (I_MPI_PMI_LIBRARY).
///
/// PMIx releases talk to each other from 1.2.5, 2.0.3 and 2.1.1 on; servers from 4.0 on have left
/// the clients of 1.x behind. Source: OpenPMIx, "cross-version compatibility".
mpi_plan plan_mpi(const image::mpi_facts& image, const host_mpi& host, bool own_pmi_library);

}  // namespace berth::container
