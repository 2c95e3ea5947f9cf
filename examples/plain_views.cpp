// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// divot without Eigen types: a matrix_ref is a pointer, sizes and strides, so whatever holds the
// numbers (a tensor library, a file mapped to memory, a std::vector) can stay as it is.
#include <divot/divot.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

int main() {
  constexpr divot::index rows = 3, classes = 4;

  // dense and row-major: a pointer and two sizes
  std::vector<float> const teacher{2, 0, 1, -1,  //
                                   0, 3, 0, 1,   //
                                   1, 1, 1, 1};
  std::vector<float> student{1, 1, 0, 0,  //
                             0, 2, 2, 0,  //
                             0, 0, 4, 0};
  std::vector<float> gradient(rows * classes);
  divot::matrix_ref<float const> const t(teacher.data(), rows, classes);
  divot::matrix_ref<float const> const s(student.data(), rows, classes);
  divot::matrix_ref<float> const g(gradient.data(), rows, classes);

  float const loss = divot::value_and_gradient(divot::jensen_shannon{}, divot::logits(t, 2),
                                               divot::logits(s, 2), g);
  std::printf("Jensen-Shannon %.6f\n", double(loss));
  auto const show = [&](char const* what, auto const& at) {
    std::puts(what);
    for (divot::index i = 0; i < rows; ++i) {
      for (divot::index k = 0; k < classes; ++k) std::printf(" %+.5f", double(at(i, k)));
      std::puts("");
    }
  };
  show("gradient", [&](auto i, auto k) { return gradient[std::size_t(i * classes + k)]; });

  // Strides of any kind. Here both operands lie in one buffer, class after class (column-major),
  // the student's rows behind the teacher's; the gradient overwrites the student's logits.
  std::vector<float> both(2 * rows * classes);
  divot::matrix_ref<float> const first(both.data(), rows, classes, 1, 2 * rows);
  divot::matrix_ref<float> const second(both.data() + rows, rows, classes, 1, 2 * rows);
  auto const element = [](auto const& m, divot::index i, divot::index k) -> auto& {
    return m.data[i * m.row_stride + k * m.col_stride];
  };
  for (divot::index i = 0; i < rows; ++i) {
    for (divot::index k = 0; k < classes; ++k) {
      element(first, i, k) = element(t, i, k);
      element(second, i, k) = element(s, i, k);
    }
  }
  float const same = divot::value_and_gradient(divot::jensen_shannon{}, divot::logits(first, 2),
                                               divot::logits(second, 2), second);
  show("the same, written over the student", [&](auto i, auto k) { return element(second, i, k); });
  float apart = std::abs(loss - same);
  for (divot::index i = 0; i < rows; ++i) {
    for (divot::index k = 0; k < classes; ++k) {
      apart = std::max(apart, std::abs(element(second, i, k) - element(g, i, k)));
    }
  }

  // labels are any range of integers
  std::vector<std::int64_t> const labels{0, 1, 2};
  float const nll = divot::value(divot::cross_entropy{.smoothing = 0.1}, divot::labels(labels), s);
  std::printf("cross-entropy with label smoothing %.6f\n", double(nll));

  // What cannot be right is refused with a sentence, before anything is written.
  divot::matrix_ref<float> const narrow(gradient.data(), rows, classes - 1);
  try {
    divot::gradient(divot::kl{}, t, s, narrow);
  } catch (divot::error const& e) {
    std::printf("%s\n", e.what());
    return apart < 1e-7f && nll > 0 ? 0 : 1;
  }
  return 1;
}
