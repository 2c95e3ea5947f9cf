// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <accuracy/budget.hpp>
#include <accuracy/reference_gradient.hpp>
#include <accuracy/table.hpp>
#include <entries/entry.hpp>

#include <map>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace reference;

divergence divergence_of(table_entry const& entry) {
  static std::map<std::string, divergence> const named{
      {"kl", {form::kl}},
      {"reverse_kl", {form::reverse_kl}},
      {"jeffreys", {form::jeffreys}},
      {"jensen_shannon", {form::jensen_shannon}},
      {"skew_js", {form::skew_js}},
      {"skew_kl", {form::skew_kl}},
      {"reverse_skew_kl", {form::reverse_skew_kl}},
      {"squared_hellinger", {form::squared_hellinger}},
      {"pearson", {form::pearson}},
      {"neyman", {form::neyman}},
      {"total_variation", {form::total_variation}},
      {"le_cam", {form::le_cam}},
      {"alpha_beta", {form::alpha_beta}},
      {"soft_cross_entropy", {form::soft_cross_entropy}},
      {"skew_pearson", {form::skew, 0, 0, form::pearson}},
      {"skew_reverse_kl", {form::skew, 0, 0, form::reverse_kl}},
      {"skew_squared_hellinger", {form::skew, 0, 0, form::squared_hellinger}},
      {"skew_total_variation", {form::skew, 0, 0, form::total_variation}},
      {"symmetrized_pearson", {form::symmetrized, 0, 0, form::pearson}},
      {"power_jensen_shannon", {form::power, 0, 0, form::jensen_shannon}},
      {"renyi", {form::renyi}},
      {"bhattacharyya", {form::bhattacharyya}},
      {"sharma_mittal", {form::sharma_mittal}}};
  auto const found = named.find(entry.name);
  divergence d =
      found != named.end() ? found->second : losses::reference_of(losses::of(entry.name));
  if (!entry.parameters.empty()) d.a = entry.parameters[0];
  if (entry.parameters.size() > 1) d.b = entry.parameters[1];
  return d;
}

/// ‖got − exact‖/‖exact‖; 0 where both are 0.
double error(std::vector<quad> const& got, std::vector<quad> const& exact) {
  REQUIRE(got.size() == exact.size());
  quad difference = 0, norm = 0;
  for (std::size_t k = 0; k < got.size(); ++k) {
    difference += (got[k] - exact[k]) * (got[k] - exact[k]);
    norm += exact[k] * exact[k];
  }
  return norm == 0 ? static_cast<double>(difference) : static_cast<double>(sqrt(difference / norm));
}

void compare(std::string const& name) {
  double worst = 0;
  for (table_row const& r : read_table(name)) {
    row_pair const row(std::span<double const>(r.teacher), std::span<double const>(r.student),
                       r.teacher_temperature, r.student_temperature);
    for (table_entry const& entry : r.entries) {
      std::map<std::string, std::vector<quad>> got;
      if (entry.name == "labels") {
        label_loss const labels = cross_entropy(
            row.student, static_cast<std::size_t>(entry.parameters.at(0)), entry.parameters.at(1));
        label_loss const z = z_loss(row.student.logits, entry.parameters.at(2));
        got = {{"value", {labels.value}},
               {"by_student", labels.gradient},
               {"z_value", {z.value}},
               {"z_by_student", z.gradient}};
      } else {
        divergence const d = divergence_of(entry);
        std::vector<quad> const student = student_gradient(d, row),
                                teacher = teacher_gradient(d, row);
        got["value"] = {loss(d, row)};
        got["by_student"] = row.spread(student);
        got["by_student_temperature"] = {temperature_gradient(row.student, student)};
        got["by_teacher"] = row.spread(teacher);
        got["by_teacher_temperature"] = {temperature_gradient(row.teacher, teacher)};
        if (entry.numbers.contains("by_parameters")) {
          auto const [a, b] = parameter_gradient(d, row);
          got["by_parameters"] = {a, b};
        }
      }
      for (auto const& [what, exact] : entry.numbers) {
        double const e = error(got.at(what), exact);
        if (!(e < budget::reference)) {
          std::string parameters;
          for (double x : entry.parameters) parameters += " " + std::to_string(x);
          MESSAGE(name, ": ", entry.name, parameters, " ", what, " of ", r.student.size(),
                  " classes: ", e);
        }
        CHECK(e < budget::reference);
        worst = std::max(worst, e);
      }
    }
  }
  if (budget::print_errors()) MESSAGE(name, ": worst error of the reference ", worst);
}

}  // namespace

TEST_CASE("the reference agrees with the tables at moderate scales") { compare("moderate.txt"); }
TEST_CASE("the reference agrees with the tables for confident rows") { compare("confident.txt"); }
TEST_CASE("the reference agrees with the tables near convergence") { compare("near.txt"); }
TEST_CASE("the reference agrees with the tables at the limits") { compare("limits.txt"); }
TEST_CASE("the reference agrees with the tables on the whole alpha-beta plane") {
  compare("alpha_beta.txt");
}
TEST_CASE("the reference agrees with the tables of the whole catalogue") {
  compare("catalogue.txt");
  compare("catalogue_near.txt");
}
TEST_CASE("the reference agrees with the tables of the label losses") { compare("labels.txt"); }
