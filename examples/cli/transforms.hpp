// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "logits.hpp"

#include <divot/core/types.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// A transform of logits, as --teacher-transforms and --student-transforms name it.
struct transform {
  enum class kind { softcap, bias, standardise, mask };

  transform::kind what;
  double cap = 0;                  ///< of softcap
  std::vector<double> bias = {};   ///< a number a class
  matrix<std::uint8_t> keep = {};  ///< of mask: one row for all, or a row each
  std::string path = {};           ///< the file of a bias or a mask
};

/// Reads a list, softcap=30,bias=B.npy,standardise,mask=M.npy, and the files that it names.
std::vector<transform> read_transforms(std::string_view option, std::string const& text);

/// The files that such a list names.
std::vector<std::string> transform_files(std::string const& text);

/// Checks shapes against logits of that many rows and columns, of which `classes` count.
/// is_valid(row): whether the row does.
template <class IsValid>
void check_transforms(std::vector<transform> const& all, divot::index rows, divot::index cols,
                      divot::index classes, IsValid const& is_valid) {
  for (transform const& t : all) {
    if (t.what == transform::kind::bias && static_cast<divot::index>(t.bias.size()) != cols) {
      fail(t.path, ": ", t.bias.size(), " elements, but the logits have ", cols, " columns");
    }
    if (t.what != transform::kind::mask) continue;
    bool const one_row = t.keep.rows() == 1 && rows != 1;
    if (t.keep.cols() != cols || (!one_row && t.keep.rows() != rows)) {
      fail(t.path, ": a mask of ", t.keep.rows(), " × ", t.keep.cols(), ", but the logits are ",
           rows, " × ", cols, "; it has an element a class, or their shape");
    }
    for (divot::index i = 0; i < t.keep.rows(); ++i) {
      if (!one_row && !is_valid(i)) continue;
      if ((t.keep.row(i).head(classes).array() == 0).all()) {
        fail(t.path, ": row ", i, ": the mask leaves no class",
             one_row || rows == 1 ? "" : " of this row");
      }
    }
  }
}

}  // namespace cli
