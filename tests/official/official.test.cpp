// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <accuracy/budget.hpp>
#include <accuracy/losses.hpp>
#include <divot/divot.hpp>
#include <official/official_values.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using losses::kind;
using official::result;

constexpr divot::index rows = 3, classes = 4;
std::vector<std::int64_t> const labels{0, 2, 0};
std::vector<std::uint8_t> const without_second_row{1, 0, 1};

double norm(std::vector<double> const& x) {
  double sum = 0;
  for (double y : x) sum += y * y;
  return std::sqrt(sum);
}

/// Value and gradient agree to the budget; `factor` divides the official ones.
void same(result const& got, result const& published, double factor = 1) {
  CHECK(std::abs(got.value - published.value / factor) <=
        budget::official * std::abs(published.value / factor));
  REQUIRE(got.gradient.size() == published.gradient.size());
  std::vector<double> difference = got.gradient;
  for (std::size_t k = 0; k < difference.size(); ++k)
    difference[k] -= published.gradient[k] / factor;
  CHECK(norm(difference) <= budget::official * norm(published.gradient) / std::abs(factor));
}

/// The mean over the three rows, by the given policy.
result mean(losses::policy p, losses::loss const& l, double teacher_temperature = 1,
            double student_temperature = 1) {
  losses::problem<double> const given{rows,
                                      classes,
                                      official::teacher,
                                      official::student,
                                      teacher_temperature,
                                      student_temperature};
  auto const sum = losses::run(p, l, given, losses::wanted::student);
  result r{sum.value / rows, sum.student};
  for (double& g : r.gradient) g /= rows;
  return r;
}

void same_with_every_policy(losses::loss const& l, result const& published, double factor = 1,
                            double teacher_temperature = 1, double student_temperature = 1) {
  for (losses::policy p : losses::policies) {
    CAPTURE(losses::name(l));
    CAPTURE(losses::name(p));
    same(mean(p, l, teacher_temperature, student_temperature), published, factor);
  }
}

/// Any loss, as a user calls it.
template <class What>
result call(What const& what, divot::batch const& options = {},
            std::vector<double> const& teacher = official::teacher) {
  result r{0, std::vector<double>(official::student.size())};
  divot::matrix_ref<double const> const t(teacher.data(), rows, classes);
  divot::matrix_ref<double const> const s(official::student.data(), rows, classes);
  r.value = divot::value_and_gradient(
      what, t, s, divot::matrix_ref<double>(r.gradient.data(), rows, classes), options);
  return r;
}

/// The mean over rows of −Σ p ln p of the teacher: what the cross-entropy form of KL adds to it.
double entropy_of_teacher() {
  double sum = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    double partition = 0;
    for (std::size_t k = 0; k < classes; ++k) partition += std::exp(official::teacher[4 * i + k]);
    for (std::size_t k = 0; k < classes; ++k) {
      double const p = std::exp(official::teacher[4 * i + k]) / partition;
      sum -= p * std::log(p) / rows;
    }
  }
  return sum;
}

}  // namespace

TEST_CASE("alpha-beta divergences are ABKD's, its factors on the singular lines put right") {
  for (official::alpha_beta_result const& each : official::alpha_beta) {
    double const a = each.alpha, b = each.beta;
    bool const singular = (a == 0) != (b == 0) || (a != 0 && a + b == 0);
    double const factor = !singular ? 1 : a != 0 ? a : b;
    same_with_every_policy({kind::alpha_beta, a, b}, each.official, factor);
  }
}

TEST_CASE("alpha-beta as vision distillation uses it, and with a row masked, is ABKD's") {
  same_with_every_policy({kind::alpha_beta, 0.8, 0.3}, official::abkd_vision, 1, 4, 4);
  divot::batch options;
  options.mask = without_second_row;
  same(call(divot::alpha_beta{.alpha = 0.2, .beta = 0.7}, options),
       official::alpha_beta_without_second_row);
}

TEST_CASE("a teacher at its own temperature gives TTM and ABTTM") {
  same_with_every_policy({kind::kl}, official::ttm, 1, 10, 1);
  same_with_every_policy({kind::alpha_beta, 0.8, 0.3}, official::abttm, 1, 10, 1);
}

TEST_CASE("the larger of two alpha divergences is alpha-net's") {
  for (losses::policy p : losses::policies) {
    result const low = mean(p, {kind::alpha, 0.2}), high = mean(p, {kind::alpha, 0.9});
    same(low.value > high.value ? low : high, official::alphanet);
  }
}

TEST_CASE("the divergences of DistiLLM and ABKD's language models") {
  same_with_every_policy({kind::soft_cross_entropy}, official::distillm_forward_kl);
  same_with_every_policy({kind::reverse_kl}, official::distillm_reverse_kl);
  same_with_every_policy({kind::total_variation}, official::distillm_tv_distance);
  // Their weight is the student's in one, the teacher's in the other.
  same_with_every_policy({kind::skew_js, 1 - 0.9}, official::distillm_js_distance);
  same_with_every_policy({kind::skew_js, 1 - 0.1}, official::abkd_js_distance);
  same_with_every_policy({kind::reverse_skew_kl, 0.1}, official::distillm_skewed_reverse_kl);
  result skewed = official::distillm_skewed_forward_kl;
  skewed.value -= entropy_of_teacher();
  same_with_every_policy({kind::skew_kl, 0.1}, skewed);
}

TEST_CASE("weighted sums give DistiLLM's symmetric KL and WSD") {
  same(call(0.1 * divot::soft_cross_entropy{} + 0.9 * divot::reverse_kl{}),
       official::distillm_symmetric_kl);
  same(call(0.5 * divot::soft_cross_entropy{} + 0.5 * divot::reverse_kl{}), official::abkd_wsd);
}

TEST_CASE("skew Jensen-Shannon is GKD's with its beta as the teacher's weight") {
  same_with_every_policy({kind::kl}, official::gkd_0);
  same_with_every_policy({kind::skew_js, 0.1}, official::gkd_01);
  same_with_every_policy({kind::skew_js, 0.5}, official::gkd_05);
  same_with_every_policy({kind::jensen_shannon}, official::gkd_05);
  same_with_every_policy({kind::skew_js, 0.9}, official::gkd_09);
  same_with_every_policy({kind::reverse_kl}, official::gkd_1);
  same_with_every_policy({kind::skew_js, 0.5}, official::gkd_at_2, 1, 2, 2);
  divot::batch options;
  options.mask = without_second_row;
  same(call(divot::jensen_shannon{}, options), official::gkd_without_second_row);
  options = {};
  options.reduction = divot::reduction::sum;
  same(call(divot::jensen_shannon{}, options), official::gkd_sum);
}

TEST_CASE("KL at temperature 4 times 16 is Hinton's, and sums with cross-entropy") {
  same(call(divot::at(4, divot::kl{}, divot::t_squared)), official::hinton_at_4);
  same(call(divot::kl{}), official::hinton_at_1);
  divot::batch options;
  options.labels = labels;
  result const hard = call(divot::cross_entropy{}, options);
  result both = call(
      0.1 * divot::cross_entropy{} + 0.9 * divot::at(4, divot::kl{}, divot::t_squared), options);
  both.value -= 0.1 * hard.value;
  for (std::size_t k = 0; k < both.gradient.size(); ++k) both.gradient[k] -= 0.1 * hard.gradient[k];
  same(both, official::hinton_at_4, 1 / 0.9);
}

TEST_CASE("the mean of two teachers' logits, with labels, is BabyLlama's") {
  std::vector<double> mean = official::teacher;
  for (std::size_t k = 0; k < mean.size(); ++k) {
    mean[k] = (mean[k] + official::second_teacher[k]) / 2;
  }
  divot::batch options;
  options.labels = labels;
  options.reduction = divot::reduction::sum;
  auto const what =
      0.5 * divot::cross_entropy{} + 0.5 * divot::at(2, divot::kl{}, divot::t_squared);
  result got = call(what, options, mean);
  // Their cross-entropy is a mean over the sequence, their KL a sum.
  options.reduction = divot::reduction::mean;
  result const hard = call(divot::cross_entropy{}, options);
  got.value -= (0.5 * rows - 0.5) * hard.value;
  for (std::size_t k = 0; k < got.gradient.size(); ++k) {
    got.gradient[k] -= (0.5 * rows - 0.5) * hard.gradient[k];
  }
  same(got, official::baby_llama);
}
