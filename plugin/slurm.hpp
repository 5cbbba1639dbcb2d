#pragma once
// Slurm's headers are C.

extern "C" {
#include <slurm/slurm.h>
#include <slurm/spank.h>
}
