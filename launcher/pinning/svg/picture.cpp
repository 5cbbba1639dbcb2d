#include "pinning/svg/picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include "base/text.hpp"
#include "pinning/describe.hpp"
#include "pinning/svg/boxes.hpp"
#include "pinning/svg/colours.hpp"
#include "pinning/svg/layout.hpp"
#include "pinning/svg/style.hpp"
#include "pinning/svg/text.hpp"

namespace berth::pinning {
namespace {

constexpr double margin = 16;
constexpr double title_font = 17;
constexpr double small_font = 11;
constexpr double line_height = 16;
constexpr double head_height = title_font + line_height + 14;
constexpr double swatch = 14;
constexpr double least_width = 420;

/// Who has a PU.
struct tenancy {
  std::vector<int> tasks;    // ascending
  std::vector<int> threads;  // of the only task: its threads that are placed here
};

struct scene {
  const planned& step;
  std::map<int, tenancy> tenants;  // by OS index
  std::set<int> allowed;
};

scene scene_of(const planned& step) {
  scene all{step, {}, {step.work.pus.begin(), step.work.pus.end()}};
  for (std::size_t t = 0; t < step.tasks.size(); ++t) {
    const auto& task = step.tasks[t];
    for (const int unit : task.cpuset) all.tenants[unit].tasks.push_back(static_cast<int>(t));
    for (std::size_t thread = 0; thread < task.thread_pus.size(); ++thread) {
      all.tenants[task.thread_pus[thread]].threads.push_back(static_cast<int>(thread));
    }
  }
  return all;
}

std::string task_list(const std::vector<int>& tasks) {
  return fmt::format("{} {}", tasks.size() == 1 ? "task" : "tasks", format_list(tasks));
}

/// "17", "0-3"; "×64" where the list would not fit.
std::string short_text(const std::vector<int>& tasks) {
  const auto list = format_list(tasks);
  return list.size() <= 4 ? list : fmt::format("×{}", tasks.size());
}

/// Which tasks each memory without CPUs and each device serves.
chip_notes notes_of(const planned& step) {
  const auto served = [&](auto uses) {
    std::vector<int> tasks;
    for (std::size_t t = 0; t < step.tasks.size(); ++t) {
      if (uses(step.tasks[t])) tasks.push_back(static_cast<int>(t));
    }
    return tasks.empty() ? std::string() : fmt::format(" ({})", task_list(tasks));
  };
  chip_notes notes;
  for (const auto& memory : step.node.numa_nodes) {
    notes.memory.push_back(served([&](const placement& task) {
      const auto& nodes = task.memory.nodes;
      return std::find(nodes.begin(), nodes.end(), memory.os_index) != nodes.end();
    }));
  }
  for (const auto& device : step.node.devices) {
    notes.devices.push_back(served([&](const placement& task) {
      return task.device && task.device->name == topology::name_of(device) &&
             task.device->address == device.address;
    }));
  }
  return notes;
}

// ---- one element each ----

struct rectangle {
  double x, y, width, height;
};

using sink = std::back_insert_iterator<std::string>;

void put_rect(sink out, const rectangle& at, std::string_view classes, std::string_view more = "") {
  fmt::format_to(out,
                 R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" class="{}"{}/>)",
                 at.x, at.y, at.width, at.height, classes, more);
}

void put_text(sink out, double x, double y, std::string_view classes, std::string_view text) {
  fmt::format_to(out, R"(<text x="{:.1f}" y="{:.1f}" class="{}">{}</text>)", x, y, classes,
                 xml_text(text));
}

/// How a PU looks.
struct paint {
  std::string_view classes;
  std::string fill = {};  // " fill=..." or nothing
  bool hatched = false;
};

paint unused(bool allowed) {
  return {.classes = allowed ? "pu idle" : "pu off"};
}

paint used(int task, bool has_thread, bool shared) {
  const auto colour = has_thread ? rank_colour(task) : rank_tint(task);
  return {"pu used", fmt::format(R"( fill="{}")", colour), shared};
}

paint paint_of(const scene& all, int os_index) {
  const auto found = all.tenants.find(os_index);
  if (found == all.tenants.end()) {
    return unused(all.allowed.contains(os_index));
  }
  const auto& tenant = found->second;
  return used(tenant.tasks.front(), !tenant.threads.empty(), tenant.tasks.size() > 1);
}

void put_painted(sink out, const rectangle& at, const paint& how, std::string_view more) {
  put_rect(out, at, how.classes, fmt::format("{}{}", how.fill, more));
  if (how.hatched) put_rect(out, at, "hatch", R"svg( fill="url(#shared)")svg");
}

// ---- the machine ----

std::string tooltip(const scene& all, int core, int os_index) {
  const auto head = fmt::format("PU {} of core {}: ", os_index, core);
  const auto found = all.tenants.find(os_index);
  if (found == all.tenants.end()) {
    return head + (all.allowed.contains(os_index) ? "idle" : "the step may not use it");
  }
  const auto& [tasks, threads] = found->second;
  if (tasks.size() > 1) return head + "shared by " + task_list(tasks);
  const auto where = threads.empty()
                         ? std::string(", no thread")
                         : fmt::format(", {} {}", threads.size() == 1 ? "thread" : "threads",
                                       format_list(threads));
  return head + task_list(tasks) + where;
}

void put_pu(sink out, const scene& all, int core, const box& pu) {
  const int os_index = pu.objects.front().id;
  const auto found = all.tenants.find(os_index);
  const bool taken = found != all.tenants.end();
  const auto how = paint_of(all, os_index);
  fmt::format_to(out, "<g><title>{}</title>", xml_text(tooltip(all, core, os_index)));
  put_painted(out, {pu.x, pu.y, pu.width, pu.height}, how,
              fmt::format(R"( data-pu="{}" data-tasks="{}")", os_index,
                          taken ? format_list(found->second.tasks) : ""));
  const auto middle = pu.x + pu.width / 2;
  if (taken) {
    put_text(out, middle, pu.y + 14, how.hatched ? "task halo" : "task",
             short_text(found->second.tasks));
  }
  put_text(out, middle, pu.y + pu.height - 3,
           how.hatched ? "index black halo"
           : taken     ? "index black"
                       : "index",
           fmt::format("P{}", os_index));
  fmt::format_to(out, "</g>\n");
}

std::string_view name_of(box_kind kind) {
  constexpr std::array<std::string_view, 9> names = {"machine", "package", "numa",   "l3",    "l2",
                                                     "core",    "pu",      "memory", "device"};
  return names.at(static_cast<std::size_t>(kind));
}

/// Opens a group with the rectangle, label and tooltip of a box.
void open_group(sink out, const box& one, const std::string& more) {
  std::map<box_kind, std::vector<int>> by_kind;
  for (const auto& object : one.objects) by_kind[object.kind].push_back(object.id);
  std::string ids;
  for (const auto& [kind, list] : by_kind) {
    ids += fmt::format(R"( data-{}="{}")", name_of(kind), format_list(list));
  }
  fmt::format_to(out, R"(<g class="{}"><title>{}</title>)", name_of(one.kind()),
                 xml_text(one.label + more));
  put_rect(out, {one.x, one.y, one.width, one.height}, "box", ids);
}

std::string pus_text(const scene& all, const topology::pu_range& range) {
  std::vector<int> indexes;
  for (int at = range.first; at < range.first + range.count; ++at) {
    indexes.push_back(all.step.node.pus[static_cast<std::size_t>(at)].os_index);
  }
  std::sort(indexes.begin(), indexes.end());
  return format_list(indexes);
}

void put_chip(sink out, const scene& all, const box& chip) {
  open_group(out, chip, chip.pus.count == 0 ? "" : ", near PUs " + pus_text(all, chip.pus));
  put_text(out, chip.x + 5, chip.y + chip.height - 4.5, "chip", chip.label);
  fmt::format_to(out, "</g>\n");
}

void put_box(sink out, const scene& all, const box& one) {
  if (one.kind() != box_kind::machine) {
    open_group(out, one, ": PUs " + pus_text(all, one.pus));
    const auto look = style_of(one.kind());
    put_text(out, one.x + look.padding, one.y + look.font + 2, "label", one.label);
    fmt::format_to(out, "\n");
  }
  for (const auto& child : one.children) {
    if (child.kind() == box_kind::pu) {
      put_pu(out, all, one.objects.front().id, child);
    } else {
      put_box(out, all, child);
    }
  }
  for (const auto& chip : one.chips) put_chip(out, all, chip);
  if (one.kind() != box_kind::machine) fmt::format_to(out, "</g>\n");
}

// ---- around it ----

struct legend_item {
  paint how;
  std::string text;
};

/// Only what the picture shows.
std::vector<legend_item> legend_of(const scene& all) {
  std::optional<int> with_thread, without, shared;
  bool idle = false;
  bool off = false;
  for (const auto& unit : all.step.node.pus) {
    const auto found = all.tenants.find(unit.os_index);
    if (found == all.tenants.end()) {
      (all.allowed.contains(unit.os_index) ? idle : off) = true;
      continue;
    }
    const auto& [tasks, threads] = found->second;
    auto& example = tasks.size() > 1 ? shared : threads.empty() ? without : with_thread;
    if (!example) example = tasks.front();
  }
  std::vector<legend_item> items;
  if (with_thread) items.push_back({used(*with_thread, true, false), "a thread of the task"});
  if (without) items.push_back({used(*without, false, false), "the task's, without a thread"});
  if (shared) items.push_back({used(*shared, true, true), "shared by several tasks"});
  if (idle) items.push_back({unused(true), "idle"});
  if (off) items.push_back({unused(false), "not for this step"});
  return items;
}

/// Returns the y below it.
double put_legend(sink out, const scene& all, double y, double width) {
  fmt::format_to(out, "<g class=\"legend\">\n");
  double x = 0;
  const auto advance = [&](double needed) {
    if (x > 0 && x + needed > width) {
      x = 0;
      y += line_height + 4;
    }
  };
  for (const auto& [how, text] : legend_of(all)) {
    const auto needed = swatch + 5 + text_width(text, small_font) + 14;
    advance(needed);
    put_painted(out, {x, y - swatch + 3, swatch, swatch}, how, "");
    put_text(out, x + swatch + 5, y, "line", text);
    x += needed;
  }
  const auto key =
      fmt::format("bold: local task id, P: OS index of the PU{}",
                  has_kinds(all.step.node) ? ", k: kind of core, larger is faster" : "");
  advance(text_width(key, small_font));
  put_text(out, x, y, "line dim", key);
  fmt::format_to(out, "</g>\n");
  return y + line_height + 2;
}

std::string page(std::string_view title, std::string_view body, double width, double height) {
  const auto w = width + 2 * margin;
  const auto h = height + 2 * margin;
  return fmt::format(R"svg(<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:.0f} {1:.0f}" width="{0:.0f}" height="{1:.0f}">
<title>{2}</title>
{3}<rect x="0" y="0" width="{0:.0f}" height="{1:.0f}" class="page"/>
<g transform="translate({4} {4})">
{5}</g>
</svg>
)svg",
                     w, h, xml_text(title), svg_style, margin, body);
}

}  // namespace

std::string svg(const planned& step, std::string_view name) {
  const auto all = scene_of(step);
  const auto clauses = explain(step);
  std::size_t widest = 1;
  for (const auto& [unit, tenant] : all.tenants) {
    widest = std::max(widest, short_text(tenant.tasks).size());
  }
  auto machine = boxes_of(step.node, notes_of(step));
  arrange(machine, widest, head_height + static_cast<double>(clauses.size() + 3) * line_height);

  const auto title = fmt::format("{}, --pin={}, on {}", counted(step.tasks.size(), "task"),
                                 to_string(step.asked), name);
  const auto width = std::max({machine.width, least_width, text_width(title, title_font)});
  std::string body;
  const sink out(body);
  put_text(out, 0, title_font - 3, "title", title);
  put_text(out, 0, title_font + line_height, "line dim", describe(step.node));
  fmt::format_to(out, "\n<g transform=\"translate(0 {})\">\n", head_height);
  put_box(out, all, machine);
  fmt::format_to(out, "</g>\n");
  double y = put_legend(out, all, head_height + machine.height + line_height + 8, width);
  const auto characters = static_cast<std::size_t>(width / text_width("0", small_font));
  for (const auto& clause : clauses) {
    for (const auto& line : wrapped(clause, characters)) {
      put_text(out, 0, y, "line", line);
      fmt::format_to(out, "\n");
      y += line_height;
    }
  }
  return page(title, body, width, y - line_height);
}

}  // namespace berth::pinning
