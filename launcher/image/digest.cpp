#include "image/digest.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <vector>

namespace berth::image {

void sha256::deleter::operator()(void* context) const {
  ::EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context));
}

sha256::sha256() : context_(::EVP_MD_CTX_new()) {
  ::EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_.get()), ::EVP_sha256(), nullptr);
}

void sha256::add(std::string_view bytes) {
  ::EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_.get()), bytes.data(), bytes.size());
}

std::string sha256::hex() {
  std::array<unsigned char, 32> sum{};
  ::EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_.get()), sum.data(), nullptr);
  return fmt::format("{:02x}", fmt::join(sum, ""));
}

result<std::string> sha256_of(int fd) {
  sha256 sum;
  std::vector<char> buffer(std::size_t{1} << 20);
  for (off_t at = 0;;) {
    const auto n = ::pread(fd, buffer.data(), buffer.size(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("cannot read");
    if (n == 0) return sum.hex();
    sum.add({buffer.data(), static_cast<std::size_t>(n)});
    at += n;
  }
}

}  // namespace berth::image
