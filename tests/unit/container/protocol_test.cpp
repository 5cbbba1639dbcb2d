#include "container/protocol.hpp"

#include <gmock/gmock.h>

namespace berth::container {
namespace {

using testing::HasSubstr;

node_request a_request() {
  node_request request;
  request.user = {1000, 1001, {1001, 27, 100}};
  request.job = {4711, 3, 1000, 1001, "", "physics", "batch", "node2", 8, 16};
  request.site_file = "/etc/berth/other.lua";
  request.image = "img.sqsh";
  request.submit_dir = "/home/ada/run 1";
  request.pmix_dir = "/var/spool/slurmd/pmix.4711.3";
  request.partition = "gpu";
  request.options = {{"CONTAINER_MOUNTS", "/a:/b"}, {"CONTAINER_ENV", "A\nB"}};
  request.wants_topology = true;
  request.variables = {"HOME=/home/ada", "EMPTY="};
  return request;
}

node_reply a_reply() {
  node_reply reply;
  reply.image = "/srv/images/img.sqsh";
  reply.backend = "fuse";
  reply.notice = "slower today";
  reply.workdir = "/home/ada";
  reply.image_environment = {"PATH=/usr/bin", "EMPTY="};
  reply.templates = {"A=${B}"};
  reply.site_environment = {{{"A", "1"}, {"B", "two\nlines"}}, {"LD_PRELOAD"}};
  reply.site_pin = "numa,verbose";
  reply.pin_failure_is_fatal = true;
  reply.asks_for_job = true;
  reply.asks_for_variables = {"HOME"};
  reply.warnings = {"line 3 is not NAME=VALUE"};
  reply.unpacks = true;
  reply.topology = std::string("\0\1", 2);
  reply.topology_xml = "/run/berth/topology.xml";
  reply.timings = {{"mount", 3300}, {"root", std::uint64_t{1} << 40}};
  return reply;
}

TEST(Protocol, ARequestArrivesAsItWasSent) {
  const auto sent = a_request();
  const auto got = decode_request(encode(sent));
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->user.uid, sent.user.uid);
  EXPECT_EQ(got->user.gid, sent.user.gid);
  EXPECT_EQ(got->user.groups, sent.user.groups);
  EXPECT_EQ(got->job.id, 4711U);
  EXPECT_EQ(got->job.step, 3U);
  EXPECT_EQ(got->job.uid, 1000U);
  EXPECT_EQ(got->job.gid, 1001U);
  EXPECT_EQ(got->job.account, "physics");
  EXPECT_EQ(got->job.partition, "batch");
  EXPECT_EQ(got->job.node, "node2");
  EXPECT_EQ(got->job.nodes, 8U);
  EXPECT_EQ(got->job.tasks_on_node, 16U);
  EXPECT_EQ(got->site_file, sent.site_file);
  EXPECT_EQ(got->image, sent.image);
  EXPECT_EQ(got->submit_dir, sent.submit_dir);
  EXPECT_EQ(got->pmix_dir, sent.pmix_dir);
  EXPECT_EQ(got->partition, "gpu");
  EXPECT_EQ(got->options, sent.options);
  EXPECT_TRUE(got->wants_topology);
  EXPECT_EQ(got->variables, sent.variables);
  EXPECT_EQ(encode(*got), encode(sent));
}

TEST(Protocol, AReplyArrivesAsItWasSent) {
  const auto sent = a_reply();
  const auto got = decode_reply(encode(sent));
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->error, "");
  EXPECT_EQ(got->image, sent.image);
  EXPECT_EQ(got->backend, "fuse");
  EXPECT_EQ(got->notice, sent.notice);
  EXPECT_EQ(got->workdir, sent.workdir);
  EXPECT_EQ(got->image_environment, sent.image_environment);
  EXPECT_EQ(got->templates, sent.templates);
  EXPECT_EQ(got->site_environment.set, sent.site_environment.set);
  EXPECT_EQ(got->site_environment.unset, sent.site_environment.unset);
  EXPECT_EQ(got->site_pin, "numa,verbose");
  EXPECT_TRUE(got->pin_failure_is_fatal);
  EXPECT_TRUE(got->asks_for_job);
  EXPECT_EQ(got->asks_for_variables, sent.asks_for_variables);
  EXPECT_EQ(got->warnings, sent.warnings);
  EXPECT_TRUE(got->unpacks);
  EXPECT_EQ(got->topology, sent.topology);
  EXPECT_EQ(got->topology_xml, "/run/berth/topology.xml");
  ASSERT_EQ(got->timings.size(), 2U);
  EXPECT_EQ(got->timings[1].phase, "root");
  EXPECT_EQ(got->timings[1].microseconds, std::uint64_t{1} << 40);
}

TEST(Protocol, AMessageCutAtAnyByteIsRefused) {
  const auto request = encode(a_request());
  for (std::size_t size = 0; size < request.size(); ++size) {
    EXPECT_FALSE(decode_request(std::string_view(request).substr(0, size))) << size;
  }
  const auto reply = encode(a_reply());
  for (std::size_t size = 0; size < reply.size(); ++size) {
    EXPECT_FALSE(decode_reply(std::string_view(reply).substr(0, size))) << size;
  }
}

TEST(Protocol, AMessageWithMoreThanItShouldHaveIsRefused) {
  EXPECT_THAT(decode_request(encode(a_request()) + '\0').error().text(), HasSubstr("too long"));
  EXPECT_THAT(decode_reply(encode(a_reply()) + "x").error().text(), HasSubstr("too long"));
}

TEST(Protocol, AnotherVersionSaysWhatToInstall) {
  auto request = encode(a_request());
  auto reply = encode(a_reply());
  ++request[0];
  ++reply[3];
  for (const auto& text :
       {decode_request(request).error().text(), decode_reply(reply).error().text()}) {
    EXPECT_EQ(text,
              "plugin and berth program are of different versions; install both from one build");
  }
}

TEST(Protocol, AnAbsurdCountCostsNoMemory) {
  auto reply = encode(a_reply());
  // The count of the variables asked for follows the version, the empty error, four texts and two
  // flags.
  const auto count = 4 + 4 + (4 + 20) + (4 + 4) + (4 + 12) + (4 + 9) + 4 + 4;
  reply.replace(count, 4, 4, '\xff');
  EXPECT_THAT(decode_reply(reply).error().text(), HasSubstr("too short"));
}

}  // namespace
}  // namespace berth::container
