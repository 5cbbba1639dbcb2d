#pragma once
// What the machine can do at most, measured in milliseconds.

namespace berth::apps {

/// FMA operations that one processor of this rank does in a second, times two: independent
/// multiply-adds in registers, by the clock of the thread, so that sharing the processor does not
/// count. Cost: about a millisecond.
double measure_flops();

/// Bytes a second that `threads` of this rank read and write together when they copy arrays larger
/// than their caches, by the clock; what ranks that measure at the same time leave each other.
/// Cost: about 30 ms, 64 MB.
double measure_copy(int threads);

}  // namespace berth::apps
