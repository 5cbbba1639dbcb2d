#pragma once
// Where the node's Slurm is in a container that asks for it. Plain constants: berth-slurm, which
// runs in containers of all kinds, includes this and nothing else.

namespace berth::container {

inline constexpr const char* slurm_commands = "/run/berth/slurm/bin";       ///< for PATH
inline constexpr const char* slurm_programs = "/run/berth/slurm/programs";  ///< the node's own
inline constexpr const char* slurm_libraries = "/run/berth/slurm/lib";
inline constexpr const char* slurm_loader = "/run/berth/slurm/lib/ld.so";

}  // namespace berth::container
