// silent_fs UID FOLDER: mounts a FUSE file system of the user's, as root on a node, that reads
// every request and answers none but what mounting takes. Goes into the background when it is
// mounted.

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

constexpr std::size_t buffer_size = std::size_t{1} << 20;

template <class Reply>
void answer(int connection, const fuse_in_header& request, const Reply& reply) {
  std::array<char, sizeof(fuse_out_header) + sizeof(Reply)> bytes{};
  const fuse_out_header head{bytes.size(), 0, request.unique};
  std::memcpy(bytes.data(), &head, sizeof head);
  std::memcpy(bytes.data() + sizeof head, &reply, sizeof reply);
  if (::write(connection, bytes.data(), bytes.size()) < 0) std::perror("answer");
}

void start(int connection, const fuse_in_header& request) {
  fuse_init_out reply{};
  reply.major = FUSE_KERNEL_VERSION;
  reply.minor = FUSE_KERNEL_MINOR_VERSION;
  reply.max_write = 4096;
  answer(connection, request, reply);
}

void show_root(int connection, const fuse_in_header& request) {
  fuse_attr_out reply{};
  reply.attr.ino = 1;
  reply.attr.mode = S_IFDIR | 0755;
  reply.attr.nlink = 2;
  reply.attr_valid = 1;
  answer(connection, request, reply);
}

[[noreturn]] void serve(int connection) {
  static std::array<char, buffer_size> buffer;
  while (true) {
    if (::read(connection, buffer.data(), buffer.size()) < 0) {
      if (errno == EINTR || errno == ENOENT) continue;
      std::_Exit(0);  // unmounted
    }
    fuse_in_header request{};
    std::memcpy(&request, buffer.data(), sizeof request);
    if (request.opcode == FUSE_INIT) start(connection, request);
    if (request.opcode == FUSE_GETATTR && request.nodeid == FUSE_ROOT_ID) {
      show_root(connection, request);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string user = argv[1];
  const int connection = ::open("/dev/fuse", O_RDWR);
  const auto options = "fd=" + std::to_string(connection) + ",rootmode=40000,user_id=" + user +
                       ",group_id=" + user + ",allow_other,default_permissions";
  if (connection < 0 || ::mount("silent", argv[2], "fuse", MS_NOSUID | MS_NODEV, options.c_str())) {
    std::perror("silent_fs");
    return 1;
  }
  if (::daemon(0, 0) != 0) return 1;
  serve(connection);
}
