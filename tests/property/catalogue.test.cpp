// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// The laws of f-divergences and of functions of them for the catalogue beyond the usual names, on
// ordinary rows and on rows at the ends of the range.

#include <property/catalogue.hpp>
#include <property/sason_verdu.hpp>

#include <algorithm>
#include <numeric>

namespace {

using namespace catalogue;

/// The policies that differ in arithmetic; omp gives the bits of simd.
constexpr std::array<losses::policy, 2> policies{losses::policy::seq, losses::policy::simd};

double value(losses::policy p, losses::loss const& l, row const& teacher, row const& student) {
  return losses::run(p, l, laws::problem(teacher, student), losses::wanted::value).value;
}

losses::answer<double> everything(losses::policy p, losses::loss const& l, pair const& rows) {
  return losses::run(p, l, laws::problem(rows.teacher, rows.student), losses::wanted::everything);
}

/// Equal up to rounding, of which the rows themselves have some: what was split or merged is not
/// the row it was.
bool close(double a, double b) {
  if (!std::isfinite(a) || !std::isfinite(b)) return a == b;
  double const slack = budget::first_order * std::numeric_limits<double>::epsilon();
  return std::abs(a - b) <= budget::law<double> * std::max(std::abs(a), std::abs(b)) + slack;
}

/// a ≤ b up to the same.
bool at_most(double a, double b) { return a <= b || close(a, b); }

bool finite(row const& x) {
  return std::all_of(x.begin(), x.end(), [](double y) { return std::isfinite(y); });
}

double norm(row const& x) {
  return std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
}

/// Whether two gradients are equal up to rounding; subnormal numbers have few digits.
bool close(row a, row const& b) {
  double const bound = budget::law<double> * norm(b) + std::numeric_limits<double>::min();
  for (std::size_t k = 0; k < a.size(); ++k) a[k] -= b[k];
  return norm(a) <= bound;
}

/// Runs a law over rows, policies and divergences: law(policy, entry, rows) says whether it holds.
template <class Law>
void check(std::vector<pair> const& all, Law law) {
  for (losses::policy p : policies) {
    for (entry const& e : entries()) {
      for (pair const& rows : all) {
        CHECK_MESSAGE(law(p, e, rows), losses::name(e.what), " ", losses::name(p), ", ", rows.about,
                      " rows of ", rows.student.size());
      }
    }
  }
}

}  // namespace

TEST_CASE("a divergence is not negative and never exceeds its supremum") {
  check(pairs(1), [](losses::policy p, entry const& e, pair const& rows) {
    double const d = value(p, e.what, rows.teacher, rows.student);
    return d >= 0 && at_most(d, e.supremum);
  });
}

TEST_CASE("disjoint rows attain the supremum") {
  check({disjoint()}, [](losses::policy p, entry const& e, pair const& rows) {
    return close(value(p, e.what, rows.teacher, rows.student), e.supremum);
  });
}

TEST_CASE("rows of the same bits have divergence 0 and gradients 0, exactly") {
  check(pairs(2), [](losses::policy p, entry const& e, pair const& rows) {
    auto const got = everything(p, e.what, {rows.about, rows.student, rows.student});
    auto const zero = [](double g) { return g == 0; };
    return got.value == 0 && std::all_of(got.student.begin(), got.student.end(), zero) &&
           std::all_of(got.teacher.begin(), got.teacher.end(), zero);
  });
}

TEST_CASE("merging classes never increases a divergence") {
  check(pairs(3), [](losses::policy p, entry const& e, pair const& rows) {
    auto const merged = [](row const& x) {
      row y(x.begin() + 1, x.end());
      y[0] = log_sum(x[0], x[1]);
      return y;
    };
    return at_most(value(p, e.what, merged(rows.teacher), merged(rows.student)),
                   value(p, e.what, rows.teacher, rows.student));
  });
}

TEST_CASE("splitting a class in proportion keeps a divergence, and so does permuting") {
  check(pairs(4), [](losses::policy p, entry const& e, pair const& rows) {
    auto const split = [](row x) {
      x.push_back(x[0] + std::log1p(-0.3));
      x[0] += std::log(0.3);
      return x;
    };
    auto const turned = [](row x) {
      std::rotate(x.begin(), x.begin() + 1, x.end());
      return x;
    };
    double const whole = value(p, e.what, rows.teacher, rows.student);
    return close(value(p, e.what, split(rows.teacher), split(rows.student)), whole) &&
           close(value(p, e.what, turned(rows.teacher), turned(rows.student)), whole);
  });
}

TEST_CASE("an f-divergence is jointly convex") {
  auto const first = pairs(5), second = pairs(6);
  for (losses::policy policy : policies) {
    for (entry const& e : entries()) {
      if (!e.is_sum) continue;
      for (std::size_t i = 0; i < first.size(); ++i) {
        if (first[i].about == "subnormal") continue;  // their mixtures have few digits
        auto const mixture = [](double share, row const& x, row const& y) {
          row const a = laws::softmax(x), b = laws::softmax(y);
          row m(a.size());
          for (std::size_t k = 0; k < m.size(); ++k) m[k] = share * a[k] + (1 - share) * b[k];
          return laws::logarithms(m);
        };
        pair const &one = first[i], &other = second[i];
        double const at_one = value(policy, e.what, one.teacher, one.student);
        double const at_other = value(policy, e.what, other.teacher, other.student);
        for (double share : {0.1, 0.5}) {
          double const between = value(policy, e.what, mixture(share, one.teacher, other.teacher),
                                       mixture(share, one.student, other.student));
          CHECK_MESSAGE(at_most(between, share * at_one + (1 - share) * at_other),
                        losses::name(e.what), " ", losses::name(policy), ", ", one.about,
                        " rows of ", one.student.size());
        }
      }
    }
  }
}

TEST_CASE("gradients of both sides sum to 0") {
  check(pairs(7), [](losses::policy p, entry const& e, pair const& rows) {
    auto const got = everything(p, e.what, rows);
    for (row const* g : {&got.student, &got.teacher}) {
      if (!finite(*g)) continue;
      double const sum = std::accumulate(g->begin(), g->end(), 0.0);
      double const bound = budget::law<double> * norm(*g) + std::numeric_limits<double>::min();
      if (!(std::abs(sum) <= bound)) return false;
    }
    return true;
  });
}

TEST_CASE("shifting all logits of a side changes neither a divergence nor its gradients") {
  check(pairs(8), [](losses::policy p, entry const& e, pair const& rows) {
    auto const shifted = [](row x, double by) {
      for (double& y : x) y += by;  // exact: logits are multiples of 2^-40
      return x;
    };
    auto const whole = everything(p, e.what, rows);
    for (pair const& moved : {pair{rows.about, shifted(rows.teacher, 200), rows.student},
                              pair{rows.about, rows.teacher, shifted(rows.student, -7.25)}}) {
      auto const other = everything(p, e.what, moved);
      if (!close(other.value, whole.value)) return false;
      if (finite(whole.student) && !close(other.student, whole.student)) return false;
    }
    return true;
  });
}

TEST_CASE("exchanging the arguments gives the dual and exchanges the gradients") {
  check(pairs(9), [](losses::policy p, entry const& e, pair const& rows) {
    if (!e.reversed) return true;
    auto const one = everything(p, e.what, rows);
    auto const other = everything(p, *e.reversed, {rows.about, rows.student, rows.teacher});
    auto const same = [](row const& a, row const& b) {
      return !finite(a) || !finite(b) || close(a, b);
    };
    return close(one.value, other.value) && same(one.student, other.teacher) &&
           same(one.teacher, other.student);
  });
}

TEST_CASE("a divergence is Sason and Verdu's integral over hockey-stick divergences") {
  samples::random r(10);
  std::vector<pair> all;
  for (double scale : {0.5, 2.}) {
    for (std::size_t classes : {2, 6, 6, 9}) {
      all.push_back({"random", samples::logits<double>(r, classes, scale),
                     samples::logits<double>(r, classes, scale)});
    }
  }
  check(all, [](losses::policy p, entry const& e, pair const& rows) {
    if (e.curvature == nullptr) return true;
    auto const curvature = [&](double u) { return e.curvature(u, e.what.a); };
    double const integral =
        laws::sason_verdu(curvature, laws::softmax(rows.teacher), laws::softmax(rows.student));
    double const d = value(p, e.what, rows.teacher, rows.student);
    return std::abs(d - integral) <= budget::quadrature * d;
  });
}
