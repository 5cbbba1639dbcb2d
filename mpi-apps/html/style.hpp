#pragma once
// What the report's pages look like.

namespace berth::apps {

/// CSS for light and dark schemes, screens of any width, and paper.
extern const char* const page_style;

}  // namespace berth::apps
