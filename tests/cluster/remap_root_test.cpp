// --container-remap-root: root in the container, oneself outside.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/text.hpp"
#include "cluster.hpp"

namespace berth::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class RemapRoot : public ClusterTest {
 protected:
  void SetUp() override {
    ClusterTest::SetUp();
    if (IsSkipped()) return;
    const auto made = shell(
        "test -e root.sqsh || berth pack ./probe bash cat grep id mknod mount umount readlink stat "
        "touch unshare -o root.sqsh");
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  static outcome as_root(const std::string& script, const std::string& options = {}) {
    return shell("srun -N1 -n1 --container-image=root.sqsh --container-remap-root " + options +
                 " bash -c '" + script + "'");
  }
};

/// An image with apt and dpkg, in which not all is root's, and a package for it.
class RemapRootApt : public LabTest {
 protected:
  void SetUp() override {
    LabTest::SetUp();
    if (IsSkipped()) return;
    const auto made = shell(R"(set -e; test -e apt.sqsh && exit
      PATH=$PATH:/usr/sbin:/sbin
      berth pack bash cat grep id chown chmod ln mkdir mv stat find diff apt-get dpkg dpkg-deb dpkg-split \
        dpkg-query tar rm ldconfig start-stop-daemon --env PATH=/usr/bin --no-mpi --force -o apt-base.sqsh \
        --file /usr/lib/apt/methods/file --file /usr/lib/apt/methods/copy \
        --file /usr/lib/apt/methods/store --file /usr/share/dpkg --file /bin/sh
      unsquashfs -q -n -f -d apt-tree apt-base.sqsh
      cd apt-tree
      mkdir -p etc/apt/apt.conf.d etc/dpkg/dpkg.cfg.d var/lib/dpkg/{info,updates,triggers,alternatives} \
        var/lib/apt/lists/partial var/cache/apt/archives/partial var/log/apt
      : >var/lib/dpkg/status
      echo 'old' >var/log/apt/term.log
      echo '_apt:x:42:65534::/nonexistent:/usr/sbin/nologin' >>etc/passwd
      cd ..
      fakeroot sh -c 'chown -R 0:0 apt-tree; chown 42:0 apt-tree/var/*/apt/*/partial
        chmod 700 apt-tree/var/*/apt/*/partial; chown 0:4 apt-tree/var/log/apt/term.log
        chmod 640 apt-tree/var/log/apt/term.log
        mksquashfs apt-tree apt.sqsh -quiet -no-progress -noappend'
      mkdir -p deb/DEBIAN deb/opt
      echo hello >deb/opt/hello
      printf 'Package: hello-berth\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b>\nDescription: x\n' \
        >deb/DEBIAN/control
      printf '#!/bin/sh\nchown 33:33 /opt/hello\n' >deb/DEBIAN/postinst
      chmod 755 deb/DEBIAN/postinst
      dpkg-deb --root-owner-group -b deb hello.deb)");
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  static outcome install(const std::string& options) {
    return shell("srun -N1 -n1 -w n1 --container-remap-root " + options +
                 " bash -c 'apt-get -q install -y ./hello.deb >&2 && dpkg -s hello-berth "
                 "| grep Status && stat -c %u:%g /opt/hello && rm /var/log/apt/term.log && id -u'");
  }
};

constexpr const char* installed = "Status: install ok installed\n";

TEST_F(RemapRoot, IsRootInsideAndTheUserOutside) {
  const auto end = as_root("id -u; id -g; touch made-by-root /root-was-here && stat -c %u /usr");
  EXPECT_EQ(end.out, "0\n0\n0\n") << end.err;
  EXPECT_EQ(shell("test $(stat -c %u made-by-root) = $(id -u) && echo mine").out, "mine\n");
  EXPECT_NE(shell("srun --container-image=root.sqsh --container-remap-root "
                  "--no-container-remap-root id -u")
                .exit_code,
            0);
  EXPECT_EQ(shell("PYXIS_CONTAINER_REMAP_ROOT=1 srun --container-image=root.sqsh "
                  "--no-container-remap-root bash -c 'test $UID != 0 && echo user'")
                .out,
            "user\n");
}

TEST_F(RemapRoot, GivesNoRightOnTheNode) {
  const auto end = as_root(
      "mount -t tmpfs x /mnt 2>/dev/null && echo mounted; "
      "umount /proc 2>/dev/null && echo unmounted; "
      "mknod /null c 1 3 2>/dev/null && echo device; "
      "echo x 2>/dev/null >/proc/sys/kernel/hostname && echo sysctl; "
      "cat /proc/1/environ >/dev/null 2>&1 && echo traced; "
      "kill -0 1 2>/dev/null && echo signalled; "
      "grep NoNewPrivs /proc/self/status");
  EXPECT_EQ(end.out, "NoNewPrivs:\t1\n") << end.err;
}

TEST_F(RemapRoot, MountsMadeInsideStayInside) {
  const auto end = as_root(
      "unshare -m bash -c \"mount -t tmpfs inside /mnt && grep -c inside /proc/self/mounts\"; "
      "grep -c inside /proc/self/mounts");
  EXPECT_EQ(end.out, "1\n0\n") << end.err;
  EXPECT_EQ(shell("srun grep -c ' tmpfs.*inside' /proc/1/mounts").out, "0\n");
}

TEST_F(RemapRoot, RanksOfANodeAreInOneNamespaceAndMpiWorks) {
  const auto end =
      shell("srun -N2 -n4 --mpi=pmix --container-image=root.sqsh --container-remap-root ./probe");
  EXPECT_EQ(end.exit_code, 0) << end.err;
  EXPECT_THAT(end.out, HasSubstr("\"size\":4,\"sum\":6"));
  const auto spaces = shell(
      "srun -N1 -n2 --container-image=root.sqsh --container-remap-root readlink "
      "/proc/self/ns/user | sort -u | wc -l");
  EXPECT_EQ(spaces.out, "1\n");
}

TEST_F(RemapRootApt, InstallsWithOneId) {
  const auto end = install("--container-image=apt.sqsh");
  EXPECT_EQ(end.out, std::string(installed) + "0:0\n0\n") << end.err;
}

TEST_F(RemapRootApt, InstallsWithSubordinateIdsAndKeepsOwners) {
  const auto lists = changed_node(
      "n1",
      "echo alice:300000:65536 >/run/berth-ids && mount --bind /run/berth-ids /etc/subuid && "
      "mount --bind /run/berth-ids /etc/subgid",
      "umount /etc/subuid /etc/subgid; rm /run/berth-ids");
  ASSERT_EQ(root_on("login", "install -m 644 " + folder() + "/apt.sqsh /srv/images/apt-test.sqsh")
                .exit_code,
            0);
  const auto end = install("--container-image=/srv/images/apt-test.sqsh");
  EXPECT_EQ(end.out, std::string(installed) + "33:33\n0\n") << end.err;
  const auto own = install("--container-image=apt.sqsh");
  EXPECT_EQ(own.out, std::string(installed) + "33:33\n0\n") << own.err;
  root_on("login", "rm /srv/images/apt-test.sqsh");
}

TEST_F(RemapRootApt, WhatBerthRunInstallsInANamedContainerStays) {
  const auto end = shell(R"(export XDG_STATE_HOME=$(mktemp -d)
    berth run --container-name=c --container-remap-root apt.sqsh -- \
      apt-get -q install -y ./hello.deb >&2
    berth run --container-name=c -- bash -c 'cat /opt/hello; dpkg -s hello-berth | grep Status'
    berth run --container-name=c --container-remap-root -- \
      apt-get -q remove -y hello-berth >&2 && berth run --container-name=c -- cat /opt/hello
    berth rm c; ls $XDG_STATE_HOME/berth/named; rm -r $XDG_STATE_HOME)");
  EXPECT_EQ(end.out, std::string("hello\n") + installed + "c\n") << end.err;
  EXPECT_THAT(end.err, HasSubstr("/opt/hello: No such file"));
}

TEST_F(RemapRootApt, BackendsThatCannotShowOwnersAreRefused) {
  const auto end = install("--container-image=apt.sqsh --container-backend=fuse");
  EXPECT_NE(end.exit_code, 0);
  EXPECT_EQ(end.out, "");
  EXPECT_THAT(end.err, AllOf(HasSubstr("--container-remap-root"), HasSubstr("leave")));
}

TEST_F(RemapRootApt, BerthRunInstallsToo) {
  const auto end = shell(
      "berth run --container-remap-root apt.sqsh -- bash -c 'apt-get -q install -y ./hello.deb "
      ">&2 && dpkg -s hello-berth | grep Status && id -u'");
  EXPECT_EQ(end.out, std::string(installed) + "0\n") << end.err;
}

TEST_F(RemapRootApt, SetUserIdFilesGiveNoRights) {
  const auto end = shell(
      "srun -N1 -n1 --container-image=apt.sqsh --container-remap-root bash -c "
      "'cp() { cat $1 >$2; chmod 755 $2; }; cp /usr/bin/id /opt/id; chown 0:0 /opt/id; "
      "chmod 4755 /opt/id; stat -c %a /opt/id; grep nosuid /proc/self/mounts | grep -c \"^berth.* "
      "/ \"'");
  EXPECT_EQ(end.out, "4755\n1\n") << end.err;
}

}  // namespace
}  // namespace berth::test
