#include "pinning/svg/picture.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "planned_step.hpp"
#include "svg_document.hpp"

namespace berth::pinning {
namespace {

using testing::Contains;
using testing::HasSubstr;

/// A PU's box and the boxes around it, the outermost first.
struct drawn_pu {
  const svg_group* pu;
  std::vector<const svg_group*> around;
};

void find_pus(const svg_group& group, std::vector<const svg_group*> around,
              std::map<int, drawn_pu>& found) {
  if (group.attributes.contains("data-pu")) {
    const int os_index = std::atoi(group.attributes.at("data-pu").c_str());
    EXPECT_TRUE(found.insert({os_index, {&group, around}}).second) << "PU " << os_index << " twice";
    return;
  }
  if (group.rectangle) around.push_back(&group);
  for (const auto& inner : group.groups) find_pus(inner, around, found);
}

/// Borrows from the page.
std::map<int, drawn_pu> pus_of(const svg_group& page) {
  std::map<int, drawn_pu> found;
  find_pus(page, {}, found);
  return found;
}

void expect_nothing_overlaps(const svg_group& group) {
  for (std::size_t i = 0; i < group.groups.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const auto& a = group.groups[i];
      const auto& b = group.groups[j];
      if (!a.rectangle || !b.rectangle) continue;
      EXPECT_FALSE(a.rectangle->overlaps(*b.rectangle)) << a.title << " and " << b.title;
    }
    if (group.rectangle && group.groups[i].rectangle) {
      EXPECT_TRUE(group.rectangle->holds(*group.groups[i].rectangle)) << group.groups[i].title;
    }
    expect_nothing_overlaps(group.groups[i]);
  }
}

/// The id of the object of this kind around a PU; -1 when there is no such box.
int around(const drawn_pu& drawn, const std::string& kind) {
  for (const auto* box : drawn.around) {
    const auto found = box->attributes.find(fmt::format("data-{}", kind));
    if (found != box->attributes.end()) return std::atoi(found->second.c_str());
  }
  return -1;
}

svg_group drawing_of(const planned& step) {
  const auto page = read_svg(svg(step, "a <machine> & \"more\""));
  EXPECT_TRUE(page) << "not well-formed";
  return page.value_or(svg_group{});
}

std::map<int, std::vector<int>> tasks_by_pu(const planned& step) {
  std::map<int, std::vector<int>> tasks;
  for (std::size_t t = 0; t < step.tasks.size(); ++t) {
    for (const int unit : step.tasks[t].cpuset) tasks[unit].push_back(static_cast<int>(t));
  }
  return tasks;
}

class Svg : public testing::TestWithParam<step_text> {
 protected:
  Svg() : made(GetParam()), step(made.get()), page(drawing_of(step)), drawn(pus_of(page)) {}

  planned_step made;
  planned step;
  svg_group page;
  std::map<int, drawn_pu> drawn;
};

TEST_P(Svg, ShowsEachPuOnceInsideItsOwnObjects) {
  ASSERT_EQ(drawn.size(), step.node.pus.size());
  for (const auto& unit : step.node.pus) {
    SCOPED_TRACE(fmt::format("PU {}", unit.os_index));
    ASSERT_TRUE(drawn.contains(unit.os_index));
    const auto& pu = drawn.at(unit.os_index);
    EXPECT_EQ(around(pu, "core"), unit.core);
    EXPECT_EQ(around(pu, "package"), unit.package);
    EXPECT_EQ(around(pu, "l3"), unit.l3);
    const auto numa = unit.numa;
    EXPECT_EQ(around(pu, "numa"),
              numa < 0 ? -1 : step.node.numa_nodes.at(static_cast<std::size_t>(numa)).os_index);
    for (const auto* box : pu.around) {
      EXPECT_TRUE(box->rectangle->holds(*pu.pu->rectangle)) << "outside " << box->title;
    }
  }
}

TEST_P(Svg, HasNoBoxesThatOverlap) {
  expect_nothing_overlaps(page);
}

TEST_P(Svg, SaysInEachPuWhoHasIt) {
  const auto tasks = tasks_by_pu(step);
  const std::set<int> allowed(step.work.pus.begin(), step.work.pus.end());
  for (const auto& [os_index, pu] : drawn) {
    SCOPED_TRACE(fmt::format("PU {}", os_index));
    const auto& [classes, title, rectangle, attributes, hatched, texts, groups] = *pu.pu;
    const auto found = tasks.find(os_index);
    EXPECT_THAT(texts, Contains(fmt::format("P{}", os_index)));
    EXPECT_THAT(title, HasSubstr(fmt::format("PU {} of core ", os_index)));
    if (found == tasks.end()) {
      EXPECT_EQ(attributes.at("data-tasks"), "");
      EXPECT_EQ(attributes.at("class"), allowed.contains(os_index) ? "pu idle" : "pu off");
      EXPECT_EQ(texts.size(), 1U);
      continue;
    }
    const auto list = format_list(found->second);
    EXPECT_EQ(attributes.at("data-tasks"), list);
    EXPECT_EQ(attributes.at("class"), "pu used");
    EXPECT_EQ(hatched, found->second.size() > 1);
    EXPECT_EQ(texts.front(), list.size() <= 4 ? list : fmt::format("×{}", found->second.size()));
  }
}

TEST_P(Svg, HasOneColourForEachTask) {
  std::map<std::string, std::string> colour_of;  // by the tasks of a PU that runs a thread
  const auto tasks = tasks_by_pu(step);
  for (std::size_t t = 0; t < std::min<std::size_t>(step.tasks.size(), 256); ++t) {
    for (const int unit : step.tasks[t].thread_pus) {
      if (tasks.at(unit).size() > 1) continue;
      const auto& colour = drawn.at(unit).pu->attributes.at("fill");
      EXPECT_EQ(colour_of.insert({std::to_string(t), colour}).first->second, colour);
    }
  }
  std::set<std::string> colours;
  for (const auto& [task, colour] : colour_of) {
    EXPECT_TRUE(colours.insert(colour).second) << "task " << task << " looks like another one";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Plans, Svg,
    testing::Values(
        step_text{.machine = "coral-lassen.xml", .tasks = 8},
        step_text{.machine = "coral-lassen.xml", .asked = "auto,smt", .tasks = 5},
        step_text{.machine = "epyc-corona.xml", .tasks = 7, .cpus = "3-60,70-95"},
        step_text{.machine = "eas-tioga.xml", .asked = "device:gpu", .tasks = 8},
        step_text{.machine = "AMD-17h-Zen-2xEpyc-7451.xml", .tasks = 60},
        step_text{.machine = "Intel-CascadeLake-2xXeon6230.xml", .asked = "package", .tasks = 4},
        step_text{.machine = "64intel64-fakeKNL-SNC4-hybrid.xml", .asked = "numa", .tasks = 9},
        step_text{.machine = "32em64t-2n8c2t-pci-wholeio.xml", .asked = "none", .tasks = 3},
        step_text{.machine = "16em64t-4s2c2t-offlines.xml", .tasks = 20},
        step_text{.machine = "pu:1"},
        step_text{.machine = "core:3 pu:8", .tasks = 2, .threads = 12},
        step_text{.machine = "package:2 numa:4 l3:3 core:8 pu:2", .tasks = 256},
        step_text{.machine = "package:2 core:96 pu:2", .tasks = 384},
        step_text{.machine = "package:3 l3:2 l2:2 core:2 pu:1", .asked = "core", .tasks = 3}));

double aspect_of(const step_text& text) {
  const planned_step step(text);
  const auto page = drawing_of(step.get());
  return page.rectangle->width / page.rectangle->height;
}

TEST(SvgPage, OfLargeMachinesIsNearTo16By10) {
  for (const auto* machine :
       {"package:2 numa:4 l3:3 core:8 pu:2", "package:2 core:96 pu:2",
        "package:2 l3:12 core:8 pu:2", "package:8 core:24 pu:1", "core:64 pu:4"}) {
    const auto aspect = aspect_of({.machine = machine, .tasks = 16});
    EXPECT_GT(aspect, 1.6 / 1.2) << machine;
    EXPECT_LT(aspect, 1.6 * 1.2) << machine;
  }
}

TEST(SvgPage, HasEverythingInside) {
  for (const auto& machine : captured_machines) {
    const planned_step step({.machine = machine, .tasks = 3});
    const auto page = drawing_of(step.get());
    constexpr double margin = 16;
    const auto& whole = page.groups.front().groups.front();  // the machine, moved down by the title
    for (const auto& box : whole.groups) {
      EXPECT_LE(box.rectangle->x + box.rectangle->width + margin, page.rectangle->width) << machine;
      EXPECT_LT(box.rectangle->y + box.rectangle->height + margin, page.rectangle->height);
    }
  }
}

TEST(SvgPage, NamesTheMachineAsItIsCalled) {
  const planned_step step({.machine = "pu:2"});
  EXPECT_EQ(drawing_of(step.get()).title, "1 task, --pin=auto, on a <machine> & \"more\"");
}

TEST(SvgPage, MayHaveDevicesOfAnyName) {
  const planned_step step({.machine = "32em64t-2n8c2t-pci-wholeio.xml"});
  auto node = step.get().node;
  node.devices.back().names = {"<&\">"};
  const auto other = planned{node, step.get().work, step.get().asked, step.get().tasks};
  EXPECT_TRUE(read_svg(svg(other, "m")));
  EXPECT_THAT(svg(other, "m"), HasSubstr("<title>gpu &lt;&amp;&quot;&gt;, near PUs 8-15,24-31"));
}

TEST(SvgPage, ExplainsTheColoursItHas) {
  const auto legend = [](const step_text& text) {
    const planned_step step(text);
    const auto page = drawing_of(step.get());
    for (const auto& group : page.groups.front().groups) {
      if (group.classes == "legend") return group.texts;
    }
    return std::vector<std::string>{};
  };
  const std::string key = "bold: local task id, P: OS index of the PU";
  EXPECT_THAT(legend({.machine = "core:2 pu:1"}),
              testing::ElementsAre("a thread of the task", key));
  EXPECT_THAT(legend({.machine = "core:2 pu:2", .cpus = "0-2"}),
              testing::ElementsAre("a thread of the task", "idle", "not for this step", key));
  EXPECT_THAT(legend({.machine = "core:2 pu:1", .tasks = 3}),
              testing::ElementsAre("a thread of the task", "shared by several tasks", key));
  EXPECT_THAT(legend({.machine = "core:4 pu:1", .threads = 2}),
              testing::ElementsAre("a thread of the task", "the task's, without a thread", key));
}

TEST(SvgPage, SaysOfWhichKindCoresAre) {
  auto node = topology::load_synthetic("core:2 pu:1").value();
  EXPECT_THAT(svg(planned_step(node, {}).get(), "m"), HasSubstr(">core 1<"));
  node.pus.back().kind = 1;
  const auto picture = svg(planned_step(node, {}).get(), "m");
  EXPECT_THAT(picture, HasSubstr(">core 1 k1<"));
  EXPECT_THAT(picture, HasSubstr("k: kind of core"));
}

TEST(SvgPage, SaysWhichTasksADeviceAndAMemoryServe) {
  const planned_step gpus({.machine = "coral-lassen.xml", .asked = "device:gpu", .tasks = 4});
  EXPECT_THAT(svg(gpus.get(), "m"), HasSubstr(">gpu cuda2 (task 2)<"));
  const planned_step hbm(
      {.machine = "64intel64-fakeKNL-SNC4-hybrid.xml", .asked = "mem=hbm", .tasks = 8});
  EXPECT_THAT(svg(hbm.get(), "m"), HasSubstr(">NUMA 7, hbm, 2 GiB (tasks 0-1)<"));
}

}  // namespace
}  // namespace berth::pinning
