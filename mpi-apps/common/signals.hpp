#pragma once
// Signals as flags that the program asks for when it can act on them.

namespace berth::apps {

/// From now on SIGTERM and SIGUSR1 set flags instead of ending the process.
void catch_stop_signals();
/// SIGTERM came: end soon.
bool was_told_to_stop();
/// SIGUSR1 came since the last call: save what there is.
bool take_save_request();

}  // namespace berth::apps
