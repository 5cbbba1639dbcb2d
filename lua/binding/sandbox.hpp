#pragma once
#include <sys/types.h>

#include "base/error.hpp"

namespace berth::lua {

inline constexpr unsigned nobody = 65534;

/// For a freshly forked child, before it does anything else. Afterwards it
///  - has one open descriptor, 0, which was `socket`,
///  - is user and group nobody without supplementary groups or capabilities, if it was root,
///  - cannot gain privilege, be traced, start processes, open or grow files, or dump core,
///  - has 2 seconds of processor time and 256 MiB of address space (not under AddressSanitizer),
///  - ends when `parent` does.
/// On error nothing of this may be relied on: the child must _exit.
result<void> give_up_everything(int socket, pid_t parent);

}  // namespace berth::lua
