// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "evaluate.hpp"
#include "wide_block.hpp"

#include <functional>
#include <vector>

namespace cli {

/// Where the gradients of rows go.
template <class Wide>
using row_writer = std::function<void(divot::index row, Wide const* gradient)>;

/// Evaluates a loss of which a part, or whose inputs, are put together at run time: skews, powers,
/// transforms, mixtures, sparse teachers. The library's own are put together at compile time, each
/// for every loss. Here a block of rows is brought into the form that the loss's kernel reads, in
/// a type in which that loses nothing (double; long double where a double's skew is mixed), and
/// the gradients are pulled back. An empty writer: that gradient is not wanted.
template <class Wide>
void evaluate_wide(std::vector<loss_part> const& parts, problem const& inputs,
                   wide_logits<Wide> const& logits, execution const& how,
                   row_writer<Wide> const& to_student, row_writer<Wide> const& to_teacher,
                   double& loss, std::vector<double>& per_row);

}  // namespace cli
