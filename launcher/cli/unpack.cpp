// berth-unpack: unpacks an image into the node's cache for berth-node, which starts it as root with
// a socket as descriptor 3 (container/unpack_job.hpp). Not for users.

#include "container/unpack.hpp"
#include "base/channel.hpp"
#include "cli/report.hpp"
#include "container/unpack_job.hpp"

namespace berth::cli {
namespace {

using namespace berth::container;

constexpr std::chrono::seconds patience{10};

result<image::cached_tree> unpack() {
  auto received = receive_message(unpack_socket, from_now(patience));
  if (!received) return pass(std::move(received));
  auto job = decode_unpack_job(received->bytes);
  if (!job) return pass(std::move(job));
  if (!received->fd) return fail("the job brings no image");
  auto cache = image::node_cache::open(job->folder, job->quota);
  if (!cache) return pass(std::move(cache));
  image_file image;
  image.fd = std::move(received->fd);
  image.path = std::move(job->image);
  image.kind = job->kind;
  return unpack_image(*cache, image, job->user);
}

result<void> serve() {
  const auto tree = unpack();
  if (!tree) return answer_unpack_failure(unpack_socket, tree.error().text());
  return answer_unpacked(unpack_socket, tree->path, tree->folder.get(), tree->lease.get());
}

}  // namespace
}  // namespace berth::cli

int main() {
  const auto served = berth::cli::serve();
  return served ? 0 : berth::cli::report(served.error());
}
