#include "image/cache_entry.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/text.hpp"

namespace berth::image {
namespace {

constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr const char* facts_name = "entry.json";
constexpr std::size_t facts_limit = 65536;

struct folder_closer {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

}  // namespace

std::vector<std::string> names_in(int folder) {
  const std::unique_ptr<DIR, folder_closer> open(
      ::fdopendir(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
  std::vector<std::string> names;
  while (const auto* entry = open ? ::readdir(open.get()) : nullptr) {
    names.emplace_back(entry->d_name);
  }
  return names;
}

bool is_digest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

result<std::string> boot_id() {
  auto text = read_file("/proc/sys/kernel/random/boot_id", 64);
  if (!text) return text;
  return std::string(trim(*text));
}

result<unique_fd> lock_entry(int users, const std::string& entry, int how) {
  const auto name = entry + ".lock";
  unique_fd fd(::openat(users, name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return fail_errno(fmt::format("cannot open \"{}\"", name));
  while (::flock(fd.get(), how) != 0) {
    if (errno != EINTR) return fail_errno(fmt::format("cannot lock \"{}\"", name));
  }
  return fd;
}

result<void> write_facts(int entry, const entry_facts& facts) {
  const nlohmann::ordered_json object{
      {"source", facts.source},    {"bytes", facts.tree.bytes},
      {"files", facts.tree.files}, {"fingerprint", facts.tree.fingerprint},
      {"filled", facts.filled},    {"boot", facts.boot}};
  const unique_fd fd(
      ::openat(entry, facts_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return fail_errno(fmt::format("cannot write \"{}\"", facts_name));
  return write_all(fd.get(),
                   object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n');
}

result<entry_facts> read_facts(int entry) {
  const unique_fd fd(::openat(entry, facts_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return fail_errno("it has no facts");
  const auto text = read_all(fd.get(), facts_limit);
  if (!text) return failure(text.error());
  const auto object = nlohmann::json::parse(*text, nullptr, false);
  try {
    return entry_facts{{object.at("bytes"), object.at("files"), object.at("fingerprint")},
                       object.at("source"),
                       object.at("boot"),
                       object.at("filled")};
  } catch (const nlohmann::json::exception&) {
    return fail("its facts are damaged");
  }
}

std::optional<unique_fd> open_entry(int users, const std::string& digest) {
  unique_fd fd(::openat(users, digest.c_str(), folder_flags));
  if (!fd) return std::nullopt;
  return fd;
}

result<unique_fd> open_tree_of(int entry) {
  const auto facts = read_facts(entry);
  if (!facts) return failure(facts.error());
  const auto boot = boot_id();
  if (!boot) return failure(boot.error());
  if (facts->boot != *boot) return fail("it is from an earlier boot");
  unique_fd tree(::openat(entry, "root", folder_flags));
  if (!tree) return fail_errno("it has no files");
  return tree;
}

}  // namespace berth::image
