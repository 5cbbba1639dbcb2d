#pragma once
// What the machine can do at most, measured in milliseconds.

namespace berth::apps {

/// FMA operations that one processor of this rank does in a second, times two: independent
/// multiply-adds in registers, by the clock of the thread, so that sharing the processor does not
/// count. Cost: about a millisecond.
double measure_flops();

/// Bytes a second that this rank reads and writes when it copies arrays larger than its caches, by
/// the clock; what ranks that measure at the same time leave each other. Cost: about 30 ms, 64 MB.
double measure_copy();

}  // namespace berth::apps
