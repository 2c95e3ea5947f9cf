// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// Files that appear all together or not at all: each is written beside its place under another
/// name, and `commit` moves them there. What was not committed is removed.
class output_files {
 public:
  output_files() = default;
  output_files(output_files const&) = delete;
  output_files& operator=(output_files const&) = delete;
  ~output_files();

  /// Names a file to be written, before anything is calculated: refuses places that are taken by an
  /// input or another output, by something that is no file, or where no file can be made.
  void reserve(std::string_view option, std::string const& path,
               std::vector<std::string> const& inputs);

  /// Writes a .npy file for a reserved path. Element types: float and double.
  template <class T>
  void write(std::string const& path, std::vector<std::size_t> const& shape, T const* data);

  void commit();

 private:
  struct file {
    std::string asked, final_path, temporary;
    bool is_made = false;
  };
  file& find(std::string const& path);
  std::vector<file> files_;
};

}  // namespace cli
