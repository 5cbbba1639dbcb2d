#include "import/file_digest.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <vector>

namespace berth::apps {

namespace {

constexpr std::size_t block = std::size_t{1} << 20;

struct free_context {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

}  // namespace

file_digest::file_digest(std::string path)
    : path_(std::move(path)), worker_([this](const std::stop_token& stop) { compute(stop); }) {}

result<std::string> file_digest::get() {
  worker_.join();
  return digest_;
}

void file_digest::compute(const std::stop_token& stop) {
  const std::unique_ptr<EVP_MD_CTX, free_context> context(EVP_MD_CTX_new());
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  std::vector<unsigned char> bytes(block);
  ssize_t got = fd < 0 ? -1 : 1;
  while (got > 0 && !stop.stop_requested()) {
    got = ::read(fd, bytes.data(), bytes.size());
    if (got > 0) EVP_DigestUpdate(context.get(), bytes.data(), static_cast<std::size_t>(got));
  }
  if (got < 0) digest_ = fail_errno(fmt::format("\"{}\": cannot read", path_), errno, blame::run);
  if (fd >= 0) ::close(fd);
  if (!digest_) return;
  std::array<unsigned char, 32> sum{};
  EVP_DigestFinal_ex(context.get(), sum.data(), nullptr);
  std::string text;
  for (const unsigned char each : sum) text += fmt::format("{:02x}", each);
  digest_ = std::move(text);
}

}  // namespace berth::apps
