// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "report.hpp"

#include <algorithm>
#include <sstream>

namespace digits {

namespace {

std::string percent(double share) { return fixed(100 * share, share < 0.1 ? 1 : 0) + " %"; }

template <class... Parts>
std::string join(Parts const&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

section scores(findings const& found) {
  row const& labels = named(found.rows, "labels only");
  auto const best = *std::max_element(
      found.rows.begin(), found.rows.end(),
      [](row const& a, row const& b) { return a.accuracy.mean < b.accuracy.mean; });
  auto const closest =
      *std::min_element(found.rows.begin(), found.rows.end(),
                        [](row const& a, row const& b) { return a.kl.mean < b.kl.mean; });
  return {
      "How the students did",
      join(
          "A point is the mean over ", found.how.seeds,
          " students, a bar one standard deviation to each side; all losses use the same ",
          "students, images and noise. With labels only, a student gets ",
          fixed(labels.accuracy.mean, 1), " % of the test images right; with <b>", best.loss.name,
          "</b>, the highest mean here, ", fixed(best.accuracy.mean, 1),
          " %. Neighbours in accuracy are within each other's bars: what tells the losses apart "
          "is how close the student's whole answer is to the teacher's (closest: <b>",
          closest.loss.name, "</b>, ", fixed(closest.kl.mean, 3),
          " nats) and how sure of itself it ends up (entropy). Three pairs of rows are one loss up "
          "to a "
          "factor, computed in two ways, and should agree: WSD 0.5 with Jeffreys, α-β (0.5, 0.5) "
          "with squared Hellinger, our own Le Cam with triangular. GKD 0.5 is Jensen–Shannon. WSD "
          "is the weighted sum of KL and "
          "reverse "
          "KL; GKD, generalised knowledge distillation, the skew "
          "Jensen–Shannon divergence of Agarwal and others (2024); skew KL that of DistiLLM (Ko "
          "and "
          "others, 2024); α-β as in ABKD (Wang and others, 2025). The last five do something to "
          "the logits, or to "
          "the teacher, first: its probabilities are averaged with those of another one, only its "
          "three likeliest classes are kept, both sides are capped by c tanh(x/c), or turned into "
          "z-scores as in LSD (Sun and others, 2024), which leave the scale of the logits to the "
          "labels."),
      {draw_scores(found.rows, found.teacher)}};
}

section two_humps(findings const& found) {
  gaussian const& kl = named(found.humps, "KL").valleys.front().student;
  gaussian const& reverse = named(found.humps, "reverse KL").valleys.front().student;
  return {
      "What a narrow student does with a two-humped teacher",
      join("The teacher has humps at ", in_words(humps[0].mean, 1), " and ",
           fixed(humps[1].mean, 1), ", of widths ", fixed(humps[0].width, 2), " and ",
           fixed(humps[1].width, 2),
           "; the student is a single Gaussian, so it cannot be right. <b>KL</b> makes it pay "
           "wherever the teacher is and it is not: it spreads over both (width ",
           fixed(kl.width, 2), ", ", percent(share_of_one_hump(kl)),
           " of it on its better hump) and is likeliest where the teacher says little. "
           "<b>Reverse KL</b> makes it pay wherever it is and the teacher is not: it takes one "
           "hump (width ",
           fixed(reverse.width, 2), ", ", percent(share_of_one_hump(reverse)),
           " on it) and drops the other. The rest lie in between. A solid line is the best fit, "
           "a dashed one another valley in which gradient descent can end, depending on where it "
           "starts."),
      {draw_two_humps(found.humps)}};
}

section alpha_beta(findings const& found) {
  double jump = 0;
  for (plane_point const& each : found.line) {
    if (share_of_one_hump(each.student) > 0.9) jump = std::max(jump, each.alpha);
  }
  return {
      "The α-β family in between",
      join("Two numbers lead from reverse KL, at (0, 1), to KL, at (1, 0). Left: the best fit "
           "for α = 0, 0.1 … 1 on the straight line between them. Up to α = ",
           fixed(jump, 1),
           " the student stays on one hump; above, it covers both, more widely as α grows. "
           "Right: the width of the best fit over the whole plane. At the sharp edge the student "
           "lets go of its one hump (red) and covers both. Points: losses in the table."),
      {draw_alpha_beta(found.line, found.plane)}};
}

section learning(findings const& found) {
  double const bar = named(found.rows, "labels only").accuracy.mean;
  trained const& kl = named(found.students, "KL");
  int reached = 0;
  for (std::size_t i = found.steps.size(); i-- > 0;) {
    double const accuracy =
        spread_over(kl.runs, [&](student_run const& run) { return run.curve[i].accuracy; }).mean;
    if (accuracy < bar) break;
    reached = found.steps[i];
  }
  return {
      "Learning curves",
      join("Right answers on the test images, in percent, against steps of training (logarithmic "
           "axis). The grey curve is the labels-only student, the dashed line the teacher; bands "
           "are one standard deviation over seeds. ",
           reached > 0 ? join("From step ", reached,
                              " on, KL's student is above what labels alone reach in ",
                              found.steps.back(), ".")
                       : std::string()),
      {draw_learning_curves(found.students, found.teacher, found.steps)}};
}

section masses(findings const& found) {
  auto const easy = [&](char const* name) {
    return percent(spread_over(named(found.students, name).runs, [](student_run const& run) {
                     return run.curve.back().mass[static_cast<std::size_t>(role::easy)];
                   }).mean);
  };
  return {
      "Who gets the probability",
      join("How a student divides its probability on the test images: the right class, the ",
           hard_classes, " wrong classes that the teacher finds likeliest (hard), and the other ",
           classes - 1 - hard_classes,
           " together (easy). Dashed: the teacher's own shares. Logarithmic axes, so that the "
           "small shares show. Losses differ most in how they clear away the easy classes: "
           "these end with ",
           easy("KL"), " under KL, ", easy("reverse KL"), " under reverse KL, ",
           easy("α-β (0.2, 0.7)"), " under α-β (0.2, 0.7) and ", easy("KL, T = 4"),
           " under KL at T = 4; the teacher gives them ",
           percent(found.teacher.mass[static_cast<std::size_t>(role::easy)]), "."),
      {draw_masses(found.students, found.teacher, found.steps)}};
}

section log_ratios_section(findings const& found) {
  double gap = 0, least = 1e9, largest = 0;
  for (clouds const& each : found.ratios) {
    gap = std::max(gap, each.ratios.largest_gap);
    least = std::min(least, each.ratios.slope);
    largest = std::max(largest, each.ratios.slope);
  }
  return {
      "LogR: what a gradient promises, and what a step keeps",
      join("One step of gradient descent on a half-trained student's logits changes the logarithm "
           "of class k's probability by about −η (g<sub>k</sub> − Σ<sub>i</sub> q<sub>i</sub> "
           "g<sub>i</sub>), with g the gradient that divot returns. Across: this prediction. Up: "
           "what the step did. Each point is a class of one of ",
           named(found.ratios, "KL").ratios.classes.size() / classes,
           " test images; η is chosen for each loss so that its largest prediction is ",
           fixed(log_ratio_span, 1), " nats. The slope is between ", fixed(least, 3), " and ",
           fixed(largest, 3), ", and no point is further than ", fixed(gap, 3),
           " nats from the diagonal, which is what the square of η leaves. To see in the colours: "
           "which classes a loss moves at all."),
      {draw_log_ratios(found.ratios)}};
}

section plans(findings const& found) {
  transport_plan const &early = found.plans.front(), &late = found.plans.back();
  return {
      "Optimal transport: who goes to whom",
      join(
          "SinKD asks what it costs to carry the student's distributions in a batch onto the "
          "teacher's. Here are the plans for ",
          early.mass.rows(), " test images, ", shown_per_digit,
          " of each digit: rows are the student's, columns the teacher's, and the darker, the "
          "more of a row goes there. Costs are SinKD's, L1 distances between softmaxes at "
          "temperature 2, with ε = 0.1. After ",
          early.step, " steps of ", student_of_plans, ", ", percent(early.own_digit),
          " of the mass stays within its digit (a plan that knows nothing: ", percent(1. / classes),
          "), after ", late.step, " steps ", percent(late.own_digit), "; but only ",
          percent(late.own_image),
          " goes to the very image (one that knows the digit only: ", percent(1. / shown_per_digit),
          "): such a loss hardly says which student is which image's, so that it is added to one "
          "that does."),
      {draw_plans(found.plans)}};
}

}  // namespace

std::vector<section> sections_of(findings const& found) {
  return {scores(found), two_humps(found), alpha_beta(found),        learning(found),
          masses(found), plans(found),     log_ratios_section(found)};
}

}  // namespace digits
