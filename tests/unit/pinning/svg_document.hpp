#pragma once
// The pictures of plans, read back by an XML parser.

#include <libxml/parser.h>
#include <libxml/tree.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::pinning {

struct svg_rectangle {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;

  [[nodiscard]] bool holds(const svg_rectangle& inner) const {
    return x <= inner.x && y <= inner.y && inner.x + inner.width <= x + width + rounding &&
           inner.y + inner.height <= y + height + rounding;
  }
  [[nodiscard]] bool overlaps(const svg_rectangle& other) const {
    return x + width > other.x + rounding && other.x + other.width > x + rounding &&
           y + height > other.y + rounding && other.y + other.height > y + rounding;
  }
  // Coordinates are written with one digit after the point.
  static constexpr double rounding = 0.15;
};

/// A group of the picture: its class, tooltip, rectangle with attributes, texts, and groups in it.
struct svg_group {
  std::string classes;
  std::string title;
  std::optional<svg_rectangle> rectangle;         // the first one
  std::map<std::string, std::string> attributes;  // of that rectangle
  bool hatched = false;
  std::vector<std::string> texts;
  std::vector<svg_group> groups;
};

inline std::string attribute(xmlNode* node, const char* name) {
  const std::unique_ptr<xmlChar, decltype(xmlFree)> value(
      xmlGetProp(node, reinterpret_cast<const xmlChar*>(name)), xmlFree);
  return value ? reinterpret_cast<const char*>(value.get()) : "";
}

inline std::string content(xmlNode* node) {
  const std::unique_ptr<xmlChar, decltype(xmlFree)> value(xmlNodeGetContent(node), xmlFree);
  return value ? reinterpret_cast<const char*>(value.get()) : "";
}

inline double number(xmlNode* node, const char* name) {
  return std::strtod(attribute(node, name).c_str(), nullptr);
}

inline void read_rectangle(xmlNode* node, svg_group& into) {
  if (attribute(node, "class") == "hatch") into.hatched = true;
  if (into.rectangle) return;
  into.rectangle = svg_rectangle{number(node, "x"), number(node, "y"), number(node, "width"),
                                 number(node, "height")};
  for (const auto* a = node->properties; a != nullptr; a = a->next) {
    const std::string name = reinterpret_cast<const char*>(a->name);
    into.attributes[name] = attribute(node, name.c_str());
  }
}

inline svg_group read_group(xmlNode* node) {
  svg_group group;
  group.classes = attribute(node, "class");
  for (auto* child = node->children; child != nullptr; child = child->next) {
    if (child->type != XML_ELEMENT_NODE) continue;
    const std::string_view name = reinterpret_cast<const char*>(child->name);
    if (name == "title") group.title = content(child);
    if (name == "rect") read_rectangle(child, group);
    if (name == "text") group.texts.push_back(content(child));
    if (name == "g") group.groups.push_back(read_group(child));
  }
  return group;
}

/// Nothing when the text is not a well-formed document with the root <svg>.
inline std::optional<svg_group> read_svg(const std::string& text) {
  const std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)> document(
      xmlReadMemory(text.data(), static_cast<int>(text.size()), "plan.svg", nullptr,
                    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING),
      &xmlFreeDoc);
  auto* root = document ? xmlDocGetRootElement(document.get()) : nullptr;
  if (root == nullptr || std::string_view(reinterpret_cast<const char*>(root->name)) != "svg") {
    return std::nullopt;
  }
  return read_group(root);
}

}  // namespace berth::pinning
