#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/file.hpp"
#include "image/cache.hpp"
#include "program.hpp"

namespace berth::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;
using nlohmann::json;

class CacheVerb : public program_test {
 protected:
  CacheVerb() {
    auto pattern = std::string("/root/berth-cache-verb-XXXXXX");
    top_ = ::mkdtemp(pattern.data());
  }
  ~CacheVerb() override { fs::remove_all(top_); }
  [[nodiscard]] std::string cache() const { return top_ / "cache"; }
  image::cached_tree fill(char digit) const {
    auto store = image::node_cache::open(cache(), 1 << 30);
    if (!store) throw std::runtime_error(store.error().text());
    image::fill_request request;
    request.image.st_size = digit;
    request.source = "/images/a\x1b[2J.sqsh";
    request.user = 60001;
    request.group = 60001;
    request.fill_and_digest = [digit](int folder, std::uint64_t) -> result<std::string> {
      const unique_fd fd(::openat(folder, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
      return write_all(fd.get(), std::string(50000, 'x')).map([&] {
        return std::string(64, digit);
      });
    };
    auto tree = store->take(request);
    if (!tree) throw std::runtime_error(tree.error().text());
    return std::move(tree).value();
  }
  fs::path top_;
};

TEST_F(CacheVerb, LsShowsWhatIsThereAndInUse) {
  const auto used = fill('a');
  fill('b');
  const auto text = berth({"cache", "ls", "--folder", cache()});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, AllOf(HasSubstr("DIGEST"), HasSubstr("aaaaaaaaaaaa"), HasSubstr("in use"),
                              HasSubstr("idle"), HasSubstr("/images/a?[2J.sqsh")));
  const auto list = json::parse(berth({"cache", "ls", "--json"}, {"BERTH_CACHE=" + cache()}).out);
  ASSERT_EQ(list.size(), 2U);
  for (const auto& entry : list) {
    EXPECT_EQ(entry["uid"], 60001);
    EXPECT_EQ(entry["in_use"], entry["digest"] == "sha256:" + std::string(64, 'a'));
    EXPECT_GE(entry["bytes"], 50000);
  }
}

TEST_F(CacheVerb, VerifyFindsAChangedFile) {
  const auto path = fill('a').path;
  EXPECT_THAT(berth({"cache", "verify", "--folder", cache()}).out, HasSubstr("ok"));
  std::ofstream(path + "/file", std::ios::app) << "more";
  const auto end = berth({"cache", "verify", "--folder", cache()});
  EXPECT_EQ(end.exit_code, 1);
  EXPECT_THAT(end.out, HasSubstr("its files were changed"));
}

TEST_F(CacheVerb, PruneTakesWhatNobodyUses) {
  const auto used = fill('a');
  fill('b');
  EXPECT_THAT(berth({"cache", "prune", "--folder", cache()}).out, HasSubstr("space: 0 B"));
  EXPECT_THAT(berth({"cache", "prune", "--older", "1", "--folder", cache()}).out,
              HasSubstr("space: 0 B"));
  const auto end = berth({"cache", "prune", "--all", "--folder", cache()});
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_THAT(end.out, AllOf(HasSubstr("Deleted: sha256:bbbb"), HasSubstr("reclaimed space: ")));
  EXPECT_EQ(json::parse(berth({"cache", "ls", "--json", "--folder", cache()}).out).size(), 1U);
}

TEST_F(CacheVerb, BadFoldersAreOneLine) {
  const auto absent = berth({"cache", "ls", "--folder", top_ / "absent"});
  EXPECT_EQ(absent.exit_code, 1);
  EXPECT_THAT(absent.err, HasSubstr("absent\": No such file or directory"));
  EXPECT_FALSE(fs::exists(top_ / "absent"));
  const auto open = berth({"cache", "ls", "--folder", folder_});
  EXPECT_EQ(open.exit_code, 1);
  EXPECT_THAT(open.err, HasSubstr("berth: error: cache \""));
  EXPECT_EQ(berth({"cache", "prune", "--older", "0", "--folder", cache()}).exit_code, 2);
  EXPECT_EQ(berth({"cache"}).exit_code, 2);
}

TEST_F(CacheVerb, ACacheThatWasNeverNeededIsEmpty) {
  const auto end = run({{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                         BERTH_PROGRAM, "cache", "ls"},
                        {"PATH=/usr/bin:/bin", "HOME=/nonexistent"},
                        {}});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 0) << end->err;
  EXPECT_THAT(end->out, HasSubstr("nothing was unpacked here"));
}

}  // namespace
}  // namespace berth::cli
