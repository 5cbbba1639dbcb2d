#pragma once
// Copies of images on the nodes of a job: asked for by srun, removed at the job's end. The work is
// done by berth-stage, which is installed beside the node helper.

#include "plugin/slurm.hpp"

#include "base/error.hpp"
#include "plugin/options.hpp"

namespace berth::plugin {

/// In srun, once the job has its nodes and before the step starts: copies the image to them where
/// the options or the site ask for it, and tells the nodes. Error: the user insists and it cannot
/// be done; otherwise the nodes read the image itself, and a line says why.
result<void> stage_image(spank_t sp, const settings& site);

/// On a node, at the job's end, as root. Also removes the copies of jobs that ended without it.
result<void> remove_staged(spank_t sp, const settings& site);

}  // namespace berth::plugin
