#pragma once
// How a table is shared out over ranks and threads, although quotes may hide line ends.
//
// The bytes are cut into equal parts. Whether a part begins inside a quoted field cannot be known
// without reading all that comes before; so each part guesses where its first record begins, all
// are read at once, and then the guess of each part is compared with where the part before really
// ended. The first part is right, hence so is every part whose guess agrees with the part before
// it; the others are read again from where that one ended. What comes out is what one reader would
// have found, and wrong guesses cost time only.

#include "common/mpi.hpp"
#include "import/table_scan.hpp"

namespace berth::apps {

/// One part after the first pass; all ranks know all parts.
struct part_place {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t line = 0;       // of `begin`, from 1
  std::int64_t first_row = 0;  // of the kept rows
  std::int64_t kept = 0;
};

/// Where a table's records begin and what its columns are.
struct table_head {
  csv_dialect dialect;
  std::int64_t data_begin = 0;
  std::int64_t data_line = 1;  // of data_begin, from 1
  std::vector<table_column> columns;
};

/// Which parts are this rank's: `threads` consecutive ones.
struct part_range {
  std::size_t first = 0;
  std::size_t count = 1;
  std::size_t all = 1;
};
part_range parts_of(const communicator& comm, int threads) noexcept;

/// Where the first record at or after `from` probably begins: the first of the next lines that
/// splits into as many fields as there are columns.
std::int64_t guess_record(const source_file& source, const table_head& head, std::int64_t from);

struct parts_scan {
  std::vector<part_place> places;  // of all parts
  std::vector<part_facts> mine;    // of this rank's parts
};

/// Scans all parts. Errors name the file's line. Collective, agreed.
result<parts_scan> scan_parts(const communicator& comm, part_range range, const source_file& source,
                              const table_head& head, const table_rules& rules,
                              const progress_callback& progress);

/// Runs `work(part)` for each of a rank's parts at once, in threads of their own.
void for_each_part(part_range range, const std::function<void(std::size_t)>& work);

/// "FILE": line N: what.
error fault_error(const source_file& source, const text_fault& fault, std::int64_t line);

}  // namespace berth::apps
