#pragma once
// A machine as nested boxes: which object lies in which.

#include <string>
#include <vector>

#include "topology/machine.hpp"

namespace berth::pinning {

enum class box_kind { machine, package, numa, l3, l2, core, pu, memory, device };

struct box {
  struct object {
    box_kind kind;
    int id;  ///< PU, NUMA and memory: OS index; device: index in machine::devices; else logical id
  };
  /// Usually one. Several when they hold the same PUs, the outermost first; and all the storage
  /// devices of a box.
  std::vector<object> objects;
  std::string label = {};       ///< the text in its upper left corner; none for a PU
  topology::pu_range pus = {};  ///< positions of the PUs inside, or of a chip: of those near it
  std::vector<box> children =
      {};  ///< in locality order, all of one kind or of one and what lies in it
  std::vector<box> chips = {};  ///< memory that is nearest to no PU, and devices

  // On the page, in pixels from the upper left corner of the outermost box (svg_layout.hpp).
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;

  [[nodiscard]] box_kind kind() const { return objects.front().kind; }
};

/// Texts appended to the labels of chips, by index in machine::numa_nodes and machine::devices.
struct chip_notes {
  std::vector<std::string> memory;
  std::vector<std::string> devices;
};

/// Whether the machine has cores of unequal kind; their labels then say which ("core 3 k1").
bool has_kinds(const topology::machine& node);

/// The boxes without positions. Levels are nested by their size on this machine: a NUMA node may
/// hold packages or lie in one. L2 caches have boxes where they join cores that their L3 does not
/// join alone.
/// @pre validate(node) succeeds; notes has an element for each NUMA node and device
box boxes_of(const topology::machine& node, const chip_notes& notes);

}  // namespace berth::pinning
