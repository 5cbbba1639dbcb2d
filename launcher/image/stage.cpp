#include "image/stage.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/file.hpp"
#include "base/subprocess.hpp"
#include "base/tree_removal.hpp"

namespace berth::image {
namespace {

namespace fs = std::filesystem;

constexpr const char* space_hint = "TMPDIR chooses another folder";

failure failed(const std::string& what, std::error_code code) {
  error e(what, code);
  if (code == std::errc::no_space_on_device) {
    return failure(std::move(e).with_hint(space_hint));
  }
  return failure(std::move(e));
}

result<void> write_text(const std::string& path, const std::string& content) {
  auto file = atomic_file::create(path);
  if (!file) return pass(std::move(file));
  if (auto done = write_all(file->fd(), content); !done) return done;
  return file->commit();
}

class builder {
 public:
  explicit builder(std::string path) : path_(std::move(path)) {}

  result<void> operator()(const folder& what) const {
    std::error_code code;
    fs::create_directory(path_, code);
    if (!code) fs::permissions(path_, static_cast<fs::perms>(what.mode), code);
    if (code) return failed(fmt::format("cannot create folder \"{}\"", path_), code);
    return {};
  }
  result<void> operator()(const symlink& what) const {
    std::error_code code;
    fs::create_symlink(what.target, path_, code);
    if (code) return failed(fmt::format("cannot create link \"{}\"", path_), code);
    return {};
  }
  result<void> operator()(const text_file& what) const { return write_text(path_, what.content); }
  result<void> operator()(const copied_file& what) const {
    std::error_code code;
    fs::copy_file(what.source, path_, code);
    if (!code) fs::permissions(path_, static_cast<fs::perms>(what.executable ? 0755 : 0644), code);
    if (code) return failed(fmt::format("cannot copy \"{}\" to \"{}\"", what.source, path_), code);
    return {};
  }

 private:
  std::string path_;
};

// Users without /sbin in their PATH have these programs too.
std::vector<std::string> tool_environment() {
  auto env = current_environment();
  bool found = false;
  // mksquashfs refuses to have both this and a time on its command line.
  std::erase_if(env, [](const std::string& e) { return e.starts_with("SOURCE_DATE_EPOCH="); });
  for (auto& entry : env) {
    if (!entry.starts_with("PATH=")) continue;
    entry += ":/usr/sbin:/sbin";
    found = true;
  }
  if (!found) env.emplace_back("PATH=/usr/bin:/bin:/usr/sbin:/sbin");
  return env;
}

std::string tool(const std::string& name) {
  for (const auto* folder : {"/usr/sbin/", "/sbin/", "/usr/bin/"}) {
    if (::access((folder + name).c_str(), X_OK) == 0) return folder + name;
  }
  return name;
}

// The loader of the C library finds libraries through this cache; ldconfig leaves a second one for
// itself, which holds times and would make every image differ.
result<void> write_loader_cache(const std::string& root) {
  if (::access((root + "/etc/ld.so.conf").c_str(), F_OK) != 0) return {};
  auto done = run_ok({{tool("ldconfig"), "-X", "-r", root}, tool_environment(), {}});
  if (!done) return pass(std::move(done), "the loader's cache of the image");
  std::error_code code;
  fs::remove_all(root + "/var/cache", code);
  return {};
}

result<void> squash(const std::string& root, const std::string& output,
                    const squash_options& options) {
  const auto time = fmt::format("{}", options.time);
  std::vector<std::string> argv{
      "mksquashfs",   root,         output,      "-noappend",
      "-no-progress", "-quiet",     "-comp",     std::string(name_of(options.method)),
      "-all-root",    "-no-xattrs", "-all-time", time,
      "-mkfs-time",   time};
  // Level 9 takes an eighth of the default's time and makes images 7 % larger.
  if (options.method == compressor::zstd) {
    argv.insert(argv.end(), {"-Xcompression-level", "9"});
  }
  auto done = run_ok({std::move(argv), tool_environment(), {}});
  if (done) return {};
  auto why = std::move(done).error();
  if (why.code() == std::errc::no_such_file_or_directory) {
    return failure(std::move(why).with_hint("install the package squashfs-tools"));
  }
  return failure(std::move(why));
}

}  // namespace

result<staging_folder> staging_folder::create() {
  std::error_code code;
  const auto base = fs::temp_directory_path(code);
  if (code) return failure(error("TMPDIR is not a folder", code));
  auto path = (base / "berth-pack-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) {
    return fail_errno(fmt::format("cannot create a folder in \"{}\"", base.string()));
  }
  return staging_folder(std::move(path));
}

staging_folder::~staging_folder() {
  if (!path_.empty()) (void)remove_tree(AT_FDCWD, path_);
}

result<void> write_image(const pack_plan& plan, const std::string& staging,
                         const std::string& output, const squash_options& options,
                         const progress& report) {
  const auto root = staging + "/root";
  if (auto done = builder(root)(folder{}); !done) return done;
  const auto& nodes = plan.files.nodes();
  std::size_t count = 0;
  for (const auto& [path, what] : nodes) {
    report("copying files", ++count, nodes.size());
    if (auto done = std::visit(builder(root + path), what); !done) return done;
  }
  report("writing the loader's cache", 0, 0);
  if (auto done = write_loader_cache(root); !done) return done;
  auto metadata = plan.metadata;
  metadata.created = rfc3339(options.time);
  const auto json = root + std::string(metadata_path);
  if (auto done = builder(fs::path(json).parent_path().string())(folder{}); !done) return done;
  if (auto done = write_text(json, write_metadata(metadata)); !done) return done;
  report("compressing", 0, 0);
  return squash(root, output, options);
}

}  // namespace berth::image
