// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// What a call on a device refuses before anything is launched, and in which words.

#include <divot/divot.hpp>

#include <divot/exec/device_call.hpp>
#include <divot/exec/device_plan.hpp>

#include <doctest/doctest.h>
#include <unit/refusal.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace {

/// Memory that nobody touches: checks look at addresses only.
float memory[4096];
std::int64_t labels[64];
double numbers[64];

divot::device_view<float> view(divot::index rows, divot::index cols, std::size_t at = 0) {
  return {memory + at, rows, cols};
}

/// The text of the error, or "" where there is none.
template <class L, class Teacher, class Student, class Where>
std::string refused(L const& what, Teacher const& teacher, Student const& student,
                    Where const& where, divot::device_batch const& options = {}) {
  auto const t = divot::as_device_rows(teacher);
  auto const s = divot::as_device_rows(student);
  auto const to = divot::device_where(where);
  return refusal([&] {
    divot::device_form<std::remove_const_t<decltype(t)>, std::remove_const_t<decltype(s)>,
                       std::remove_const_t<decltype(to)>>::call(divot::make_plan(what), t, s, to,
                                                                options);
  });
}

bool says(std::string const& text, char const* part) {
  CAPTURE(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("shapes that do not fit are named") {
  auto const t = view(4, 10), s = view(4, 10, 1000), g = view(4, 10, 2000);
  CHECK(refused(divot::kl{}, t, s, g) == "");
  CHECK(refused(divot::kl{}, t, s, s) == "");  // in place
  CHECK(says(refused(divot::kl{}, view(3, 10), s, g), "the teacher has 3 rows, the student 4"));
  CHECK(
      says(refused(divot::kl{}, view(4, 11), s, g), "the teacher has 11 classes, the student 10"));
  CHECK(says(refused(divot::kl{}, t, s, view(4, 9, 2000)),
             "the student's gradient is 4 x 9; its logits are 4 x 10"));
  CHECK(says(refused(divot::kl{}, t, s, view(4, 10, 1001)), "overlap"));
  CHECK(says(refused(divot::kl{}, t, s, view(4, 10)), "overlap"));
  CHECK(
      says(refused(divot::kl{}, t, s, divot::device_gradients{g, g}), "the two gradients overlap"));
  CHECK(
      says(refused(divot::kl{}, t, divot::device_view<float>(nullptr, 4, 10), g), "null pointer"));
  CHECK(says(refused(divot::kl{}, t, divot::device_view<float>(memory, 4, 10, 9), g),
             "rows are 9 apart and have 10 columns"));
  CHECK(says(refused(divot::kl{}, view(4, 0), view(4, 0), view(4, 0)), "no classes"));
}

TEST_CASE("options that do not fit are named") {
  auto const t = view(4, 10), s = view(4, 10, 1000), g = view(4, 10, 2000);
  divot::device_batch b;
  b.weights = {numbers, 3};
  CHECK(says(refused(divot::kl{}, t, s, g, b), "device_batch::weights has 3 entries for 4 rows"));
  b = {};
  b.valid_classes = 11;
  CHECK(says(refused(divot::kl{}, t, s, g, b), "valid_classes is 11; there are 10"));
  b.valid_classes = 9;
  CHECK(refused(divot::kl{}, view(4, 11), s, g, b) == "");
  b = {};
  b.normaliser = -1;
  CHECK(says(refused(divot::kl{}, t, s, g, b), "normaliser"));
  CHECK(
      says(refused(divot::kl{}, divot::logits(t, 0), s, g), "the temperature of the teacher is 0"));
  CHECK(says(refused(divot::cross_entropy{}, t, s, g), "cross_entropy needs labels"));
  b = {};
  b.labels = {labels, 4};
  CHECK(refused(divot::cross_entropy{}, t, s, g, b) == "");
  auto const y = divot::labels(divot::device_span<std::int64_t const>{labels, 4}, .1);
  CHECK(says(refused(divot::kl{}, y, s, g, b), "labels are given twice"));
  CHECK(says(refused(divot::cross_entropy{.smoothing = .1}, y, s, g), "smoothing is given twice"));
  CHECK(
      says(refused(divot::at(2, divot::kl{}), divot::log_probabilities(t), s, g), "needs logits"));
}

TEST_CASE("what a top-k teacher does not take is named") {
  auto const s = view(4, 10, 1000), g = view(4, 10, 2000), log_p = view(4, 3);
  divot::device_view<std::int64_t> const at(labels, 4, 3), other(labels, 4, 2);
  using divot::tail, divot::top_k;
  CHECK(refused(divot::kl{}, top_k(at, log_p, tail::uniform), s, g) == "");
  CHECK(says(refused(divot::kl{}, top_k(other, log_p, tail::uniform), s, g), "the same shape"));
  CHECK(refused(divot::kl{}, top_k(at, log_p, tail::bucket), s, g) == "");
  CHECK(says(refused(divot::kl{} + .1 * divot::z_loss{}, top_k(at, log_p, tail::bucket), s, g),
             "tail::bucket"));
  CHECK(says(refused(divot::at(2, divot::kl{}), top_k(at, log_p, tail::uniform), s, g),
             "cannot be re-tempered"));
}

TEST_CASE("rows go to blocks, clusters or global memory by their size") {
  divot::device_arrays arrays;
  arrays.teacher = true;  // four arrays
  divot::device_limits device{132, 227 << 10, 16};
  auto const plan = [&](divot::index rows, divot::index classes) {
    return divot::layout_of_rows(device, arrays, rows, classes, 4, 4);
  };
  CHECK(plan(1, 1).threads == 32);
  CHECK(plan(1, 1).grid == 1);
  // as many rows at a time as shared memory has room for, a warp each
  CHECK(plan(65536, 1000).threads == 32);
  CHECK(plan(65536, 1000).cluster == 1);
  CHECK(plan(65536, 1000).grid == 11 * 132);
  CHECK(plan(65536, 10).grid == 16 * 132);
  CHECK(plan(65536, 4096).threads == 160);
  // a block to a processor has all of its threads, and a cluster one row
  CHECK(plan(8192, 128256).threads == 512);
  CHECK(plan(8192, 128256).grid == 8192 * 16);
  for (divot::index const classes : {1, 1000, 6000, 14000, 32000, 50257, 100000, 128256, 262144}) {
    auto const l = plan(8192, classes);
    CAPTURE(classes);
    CHECK(l.grid % l.cluster == 0);
    CHECK(l.threads % 32 == 0);
    CHECK(l.threads <= divot::most_block_threads);
    CHECK(l.slice % 4 == 0);
    CHECK(l.slice * l.cluster >= classes);
    CHECK((l.slice * (l.cluster - 1) < classes || l.cluster == 1));
    bool const shared = l.shared_bytes > 0;
    CHECK(shared == (l.stride == 0));
    CHECK(shared == (classes <= 230000));
    CHECK(static_cast<divot::index>(l.shared_bytes) <= device.shared_bytes - 4096);
  }
  device.cluster = 1;
  CHECK(plan(8192, 32000).cluster == 1);
  CHECK(plan(8192, 32000).stride >= 4 * 4 * 32000);
}
