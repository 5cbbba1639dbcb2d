#pragma once
// The kernel sets that kernels.cpp chooses from; compiled for their instruction set, so only to be
// called where CPUID says so.

#include "gram/kernels.hpp"

namespace berth::apps {

extern const kernel_set avx512_kernels;  // x86-64 with AVX-512F, DQ, VL
extern const kernel_set avx2_kernels;    // x86-64 with AVX2 and FMA
extern const kernel_set scalar_kernels;

}  // namespace berth::apps
