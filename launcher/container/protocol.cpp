#include "container/protocol.hpp"

#include "container/wire.hpp"

namespace berth::container {
namespace {

// Both sides are installed together; this catches a plugin and a helper that were not.
constexpr std::uint32_t protocol_version = 7;

void write_job(wire_writer& out, const site::job_facts& job) {
  for (const auto value : {job.id, job.step, job.uid, job.gid, job.nodes, job.tasks_on_node}) {
    out.u32(value);
  }
  for (const auto& value : {job.user, job.account, job.partition, job.node}) out.text(value);
}

site::job_facts read_job(wire_reader& in) {
  site::job_facts job;
  for (auto* value : {&job.id, &job.step, &job.uid, &job.gid, &job.nodes, &job.tasks_on_node}) {
    *value = in.u32();
  }
  for (auto* value : {&job.user, &job.account, &job.partition, &job.node}) *value = in.text();
  return job;
}

void write_environment(wire_writer& out, const site::environment_rules& rules) {
  out.u32(static_cast<std::uint32_t>(rules.set.size()));
  for (const auto& [name, value] : rules.set) {
    out.text(name);
    out.text(value);
  }
  out.texts(rules.unset);
}

site::environment_rules read_environment(wire_reader& in) {
  site::environment_rules rules;
  for (auto count = in.u32(); count > 0 && in.good(); --count) {
    auto name = in.text();
    rules.set[std::move(name)] = in.text();
  }
  rules.unset = in.texts();
  return rules;
}

void write_choices(wire_writer& out, const choices& options) {
  out.u32(static_cast<std::uint32_t>(options.size()));
  for (const auto& [key, value] : options) {
    out.text(key);
    out.text(value);
  }
}

choices read_choices(wire_reader& in) {
  choices options;
  for (auto count = in.u32(); count > 0 && in.good(); --count) {
    auto key = in.text();
    options[std::move(key)] = in.text();
  }
  return options;
}

template <class Value>
result<Value> finish(const wire_reader& in, std::uint32_t version, Value value) {
  if (version != protocol_version) {
    return fail("plugin and berth program are of different versions; install both from one build");
  }
  if (auto complete = in.finish(); !complete) return pass(std::move(complete));
  return value;
}

}  // namespace

std::string encode(const node_request& request) {
  wire_writer out;
  out.u32(protocol_version);
  out.u32(request.user.uid);
  out.u32(request.user.gid);
  out.numbers(request.user.groups);
  write_job(out, request.job);
  for (const auto& text :
       {request.site_file, request.image, request.submit_dir, request.pmix_dir, request.slurm.conf,
        request.slurm.programs, request.staged, request.partition}) {
    out.text(text);
  }
  write_choices(out, request.options);
  out.u32(request.wants_topology ? 1 : 0);
  out.texts(request.variables);
  return out.take();
}

result<node_request> decode_request(std::string_view bytes) {
  wire_reader in(bytes);
  node_request request;
  const auto version = in.u32();
  request.user.uid = in.u32();
  request.user.gid = in.u32();
  request.user.groups = in.numbers();
  request.job = read_job(in);
  for (auto* text :
       {&request.site_file, &request.image, &request.submit_dir, &request.pmix_dir,
        &request.slurm.conf, &request.slurm.programs, &request.staged, &request.partition}) {
    *text = in.text();
  }
  request.options = read_choices(in);
  request.wants_topology = in.u32() != 0;
  request.variables = in.texts();
  return finish(in, version, std::move(request));
}

std::string encode(const node_reply& reply) {
  wire_writer out;
  out.u32(protocol_version);
  for (const auto& text : {reply.error, reply.image, reply.backend, reply.notice, reply.workdir}) {
    out.text(text);
  }
  out.u32(reply.asks_for_job ? 1 : 0);
  out.u32(reply.unpacks ? 1 : 0);
  out.texts(reply.asks_for_variables);
  out.texts(reply.warnings);
  out.texts(reply.image_environment);
  out.texts(reply.templates);
  out.texts(reply.entrypoint);
  out.u32(reply.remaps_root ? 1 : 0);
  out.u32(reply.pretends_ids ? 1 : 0);
  write_environment(out, reply.site_environment);
  out.text(reply.slurm_conf);
  out.text(reply.site_pin);
  out.u32(reply.pin_failure_is_fatal ? 1 : 0);
  out.text(reply.topology);
  out.text(reply.topology_xml);
  out.u32(static_cast<std::uint32_t>(reply.timings.size()));
  for (const auto& [phase, microseconds] : reply.timings) {
    out.text(phase);
    out.u64(microseconds);
  }
  return out.take();
}

result<node_reply> decode_reply(std::string_view bytes) {
  wire_reader in(bytes);
  node_reply reply;
  const auto version = in.u32();
  for (auto* text : {&reply.error, &reply.image, &reply.backend, &reply.notice, &reply.workdir}) {
    *text = in.text();
  }
  reply.asks_for_job = in.u32() != 0;
  reply.unpacks = in.u32() != 0;
  reply.asks_for_variables = in.texts();
  reply.warnings = in.texts();
  reply.image_environment = in.texts();
  reply.templates = in.texts();
  reply.entrypoint = in.texts();
  reply.remaps_root = in.u32() != 0;
  reply.pretends_ids = in.u32() != 0;
  reply.site_environment = read_environment(in);
  reply.slurm_conf = in.text();
  reply.site_pin = in.text();
  reply.pin_failure_is_fatal = in.u32() != 0;
  reply.topology = in.text();
  reply.topology_xml = in.text();
  for (auto count = in.u32(); count > 0 && in.good(); --count) {
    auto phase = in.text();
    reply.timings.push_back({std::move(phase), in.u64()});
  }
  return finish(in, version, std::move(reply));
}

}  // namespace berth::container
