// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "output_files.hpp"

#include "flaw.hpp"
#include "npy.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <system_error>

namespace cli {

namespace fs = std::filesystem;

output_files::~output_files() {
  for (file const& f : files_) {
    if (f.is_made) std::remove(f.temporary.c_str());
  }
}

void output_files::reserve(std::string_view option, std::string const& path,
                           std::vector<std::string> const& inputs) {
  std::error_code ignored;
  fs::path const place =
      fs::weakly_canonical(fs::absolute(path), ignored);  // a link is followed, not replaced
  file f{path, place.empty() ? path : place.string(), {}, false};
  auto const refuse = [&](std::string_view why) { fail(option, ": ", path, ": ", why); };
  fs::file_status const status = fs::status(f.final_path, ignored);
  if (fs::exists(status) && !fs::is_regular_file(status)) refuse("not a regular file");
  for (std::string const& input : inputs) {
    if (fs::equivalent(f.final_path, input, ignored)) refuse("is an input too");
  }
  for (file const& other : files_) {
    if (other.final_path == f.final_path) refuse("is another output too");
  }
  std::random_device random;
  f.temporary = f.final_path + ".part-" + std::to_string(random());
  std::FILE* const made = std::fopen(f.temporary.c_str(), "wbx");
  if (made == nullptr) refuse(std::strerror(errno));
  std::fclose(made);
  std::remove(f.temporary.c_str());  // calculating may take long, and may be interrupted
  files_.push_back(f);
}

output_files::file& output_files::find(std::string const& path) {
  for (file& f : files_) {
    if (f.asked == path) return f;
  }
  throw std::logic_error("output_files: not reserved: " + path);
}

template <class T>
void output_files::write(std::string const& path, std::vector<std::size_t> const& shape,
                         T const* data) {
  file& f = find(path);
  std::string const header = npy_header("<f" + std::to_string(sizeof(T)), shape);
  std::size_t count = 1;
  for (std::size_t const n : shape) count *= n;
  std::FILE* const out = std::fopen(f.temporary.c_str(), "wb");
  if (out == nullptr) fail(path, ": ", std::strerror(errno));
  f.is_made = true;
  bool const complete = std::fwrite(header.data(), 1, header.size(), out) == header.size() &&
                        std::fwrite(data, sizeof(T), count, out) == count;
  int const why = errno;
  bool const closed = std::fclose(out) == 0;
  if (!complete || !closed) fail(path, ": ", std::strerror(complete ? errno : why));
}

template void output_files::write(std::string const&, std::vector<std::size_t> const&,
                                  float const*);
template void output_files::write(std::string const&, std::vector<std::size_t> const&,
                                  double const*);

void output_files::commit() {
  for (file& f : files_) {
    std::error_code error;
    fs::rename(f.temporary, f.final_path, error);
    if (error) fail(f.asked, ": ", error.message());
    f.is_made = false;
  }
}

}  // namespace cli
