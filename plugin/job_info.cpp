#include "plugin/job_info.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <memory>

#include "base/text.hpp"
#include "plugin/slurm.hpp"

namespace berth::plugin {
namespace {

struct free_job_info {
  void operator()(job_info_msg_t* info) const noexcept { slurm_free_job_info_msg(info); }
};

std::string text(const char* value) {
  return value == nullptr ? "" : value;
}

}  // namespace

result<void> load_job_facts(site::job_facts& job) {
  job_info_msg_t* loaded = nullptr;
  if (slurm_load_job(&loaded, job.id, SHOW_ALL) != 0) {
    return fail(fmt::format("cannot ask Slurm for job {}: {}", job.id, slurm_strerror(errno)));
  }
  const std::unique_ptr<job_info_msg_t, free_job_info> info(loaded);
  for (std::uint32_t i = 0; i < info->record_count; ++i) {
    const auto& record = info->job_array[i];
    if (record.job_id != job.id) continue;
    job.account = text(record.account);
    job.partition = text(record.partition);
    return {};
  }
  return fail(fmt::format("Slurm does not know job {}", job.id));
}

bool is_over(std::uint32_t job) {
  job_info_msg_t* loaded = nullptr;
  if (slurm_load_job(&loaded, job, SHOW_ALL) != 0) return errno == ESLURM_INVALID_JOB_ID;
  const std::unique_ptr<job_info_msg_t, free_job_info> info(loaded);
  for (std::uint32_t i = 0; i < info->record_count; ++i) {
    const auto& record = info->job_array[i];
    if (record.job_id == job) return (record.job_state & JOB_STATE_BASE) >= JOB_COMPLETE;
  }
  return false;
}

std::vector<std::string> over_among(std::string_view jobs) {
  constexpr std::size_t most_questions = 16;
  std::vector<std::string> over;
  std::size_t asked = 0;
  for (const auto& job : split(trim(jobs), '\n')) {
    const auto id = parse_unsigned(job);
    if (!id || asked == most_questions) continue;
    ++asked;
    if (is_over(static_cast<std::uint32_t>(*id))) over.push_back(job);
  }
  return over;
}

}  // namespace berth::plugin
