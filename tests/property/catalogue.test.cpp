// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// The laws of f-divergences and of functions of them, for every entry of the catalogue, number type
// and policy, on ordinary rows and on rows at the ends of the range.

#include <property/catalogue.hpp>
#include <property/sason_verdu.hpp>

#include <algorithm>
#include <numeric>

namespace {

using namespace catalogue;

/// A row of logits in T, for one call.
template <class T>
losses::problem<T> problem(row const& teacher, row const& student) {
  return {1, student.size(), {teacher.begin(), teacher.end()}, {student.begin(), student.end()}};
}

template <class T>
double value(losses::policy p, losses::loss const& l, row const& teacher, row const& student) {
  return losses::run(p, l, problem<T>(teacher, student), losses::wanted::value).value;
}

struct answer {
  double value;
  row student, teacher;  // gradients
};
template <class T>
answer everything(losses::policy p, losses::loss const& l, pair const& rows) {
  auto const got =
      losses::run(p, l, problem<T>(rows.teacher, rows.student), losses::wanted::everything);
  return {got.value,
          {got.student.begin(), got.student.end()},
          {got.teacher.begin(), got.teacher.end()}};
}

/// Equal up to rounding, of which the rows themselves have some: what was split or merged is not
/// the row it was.
template <class T>
bool close(double a, double b) {
  if (!std::isfinite(a) || !std::isfinite(b)) return a == b;
  double const slack = budget::first_order * static_cast<double>(std::numeric_limits<T>::epsilon());
  return std::abs(a - b) <= budget::law<T> * std::max(std::abs(a), std::abs(b)) + slack;
}

/// a ≤ b up to the same.
template <class T>
bool at_most(double a, double b) {
  return a <= b || close<T>(a, b);
}

bool finite(row const& x) {
  return std::all_of(x.begin(), x.end(), [](double y) { return std::isfinite(y); });
}

double norm(row const& x) {
  return std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
}

/// What two gradients may differ by; subnormal numbers have few digits.
template <class T>
double slack(row const& g) {
  return budget::law<T> * norm(g) + static_cast<double>(std::numeric_limits<T>::min());
}
template <class T>
bool close(row a, row const& b) {
  double const bound = slack<T>(b);
  for (std::size_t k = 0; k < a.size(); ++k) a[k] -= b[k];
  return norm(a) <= bound;
}

/// Runs a law over rows, policies and divergences: law(policy, entry, rows) says whether it holds.
template <class Law>
void check(std::vector<pair> const& all, Law law) {
  for (losses::policy p : losses::policies) {
    for (entry const& e : entries()) {
      for (pair const& rows : all) {
        CHECK_MESSAGE(law(p, e, rows), losses::name(e.what), " ", losses::name(p), ", ", rows.about,
                      " rows of ", rows.student.size());
      }
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("a divergence is not negative and never exceeds its supremum", T, float,
                   double) {
  check(pairs<T>(1), [](losses::policy p, entry const& e, pair const& rows) {
    double const d = value<T>(p, e.what, rows.teacher, rows.student);
    return d >= 0 && at_most<T>(d, e.supremum);
  });
}

TEST_CASE_TEMPLATE("disjoint rows attain the supremum", T, float, double) {
  check({disjoint()}, [](losses::policy p, entry const& e, pair const& rows) {
    return close<T>(value<T>(p, e.what, rows.teacher, rows.student), e.supremum);
  });
}

TEST_CASE_TEMPLATE("rows of the same bits have divergence 0 and gradients 0, exactly", T, float,
                   double) {
  check(pairs<T>(2), [](losses::policy p, entry const& e, pair const& rows) {
    auto const got = everything<T>(p, e.what, {rows.about, rows.student, rows.student});
    auto const zero = [](double g) { return g == 0; };
    return got.value == 0 && std::all_of(got.student.begin(), got.student.end(), zero) &&
           std::all_of(got.teacher.begin(), got.teacher.end(), zero);
  });
}

TEST_CASE_TEMPLATE("merging classes never increases a divergence", T, float, double) {
  check(pairs<T>(3), [](losses::policy p, entry const& e, pair const& rows) {
    auto const merged = [](row const& x) {
      row y(x.begin() + 1, x.end());
      y[0] = log_sum(x[0], x[1]);
      return y;
    };
    return at_most<T>(value<T>(p, e.what, merged(rows.teacher), merged(rows.student)),
                      value<T>(p, e.what, rows.teacher, rows.student));
  });
}

TEST_CASE_TEMPLATE("splitting a class in proportion keeps a divergence, and so does permuting", T,
                   float, double) {
  check(pairs<T>(4), [](losses::policy p, entry const& e, pair const& rows) {
    auto const split = [](row x) {
      x.push_back(x[0] + std::log1p(-0.3));
      x[0] += std::log(0.3);
      return x;
    };
    auto const turned = [](row x) {
      std::rotate(x.begin(), x.begin() + 1, x.end());
      return x;
    };
    double const whole = value<T>(p, e.what, rows.teacher, rows.student);
    return close<T>(value<T>(p, e.what, split(rows.teacher), split(rows.student)), whole) &&
           close<T>(value<T>(p, e.what, turned(rows.teacher), turned(rows.student)), whole);
  });
}

TEST_CASE_TEMPLATE("an f-divergence is jointly convex", T, float, double) {
  auto const first = pairs<T>(5), second = pairs<T>(6);
  for (losses::policy policy : losses::policies) {
    for (entry const& e : entries()) {
      if (!e.is_sum) continue;
      for (std::size_t i = 0; i < first.size(); ++i) {
        if (first[i].about == subnormal) continue;  // their mixtures have few digits
        auto const mixture = [](double share, row const& x, row const& y) {
          row const a = laws::softmax(x), b = laws::softmax(y);
          row m(a.size());
          for (std::size_t k = 0; k < m.size(); ++k) m[k] = share * a[k] + (1 - share) * b[k];
          return laws::logarithms(m);
        };
        pair const &one = first[i], &other = second[i];
        double const at_one = value<T>(policy, e.what, one.teacher, one.student);
        double const at_other = value<T>(policy, e.what, other.teacher, other.student);
        for (double share : {0.1, 0.5}) {
          double const between =
              value<T>(policy, e.what, mixture(share, one.teacher, other.teacher),
                       mixture(share, one.student, other.student));
          CHECK_MESSAGE(at_most<T>(between, share * at_one + (1 - share) * at_other),
                        losses::name(e.what), " ", losses::name(policy), ", ", one.about,
                        " rows of ", one.student.size());
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("gradients of both sides sum to 0", T, float, double) {
  check(pairs<T>(7), [](losses::policy p, entry const& e, pair const& rows) {
    auto const got = everything<T>(p, e.what, rows);
    for (row const* g : {&got.student, &got.teacher}) {
      if (!finite(*g)) continue;
      double const sum = std::accumulate(g->begin(), g->end(), 0.0);
      double const bound = slack<T>(*g);
      if (!(std::abs(sum) <= bound)) return false;
    }
    return true;
  });
}

TEST_CASE_TEMPLATE("shifting all logits of a side changes neither a divergence nor its gradients",
                   T, float, double) {
  check(pairs<T>(8), [](losses::policy p, entry const& e, pair const& rows) {
    auto const shifted = [](row x, double by) {
      for (double& y : x) y += by;  // exact: logits are multiples of 2^-40
      return x;
    };
    auto const whole = everything<T>(p, e.what, rows);
    for (pair const& moved : {pair{rows.about, shifted(rows.teacher, 200), rows.student},
                              pair{rows.about, rows.teacher, shifted(rows.student, -7.25)}}) {
      auto const other = everything<T>(p, e.what, moved);
      if (!close<T>(other.value, whole.value)) return false;
      if (finite(whole.student) && !close<T>(other.student, whole.student)) return false;
    }
    return true;
  });
}

TEST_CASE_TEMPLATE("exchanging the arguments gives the dual and exchanges the gradients", T, float,
                   double) {
  check(pairs<T>(9), [](losses::policy p, entry const& e, pair const& rows) {
    if (!e.reversed) return true;
    auto const one = everything<T>(p, e.what, rows);
    auto const other = everything<T>(p, *e.reversed, {rows.about, rows.student, rows.teacher});
    auto const same = [](row const& a, row const& b) {
      return !finite(a) || !finite(b) || close<T>(a, b);
    };
    return close<T>(one.value, other.value) && same(one.student, other.teacher) &&
           same(one.teacher, other.student);
  });
}

TEST_CASE_TEMPLATE("a divergence is Sason and Verdu's integral over hockey-stick divergences", T,
                   float, double) {
  samples::random r(10);
  std::vector<pair> all;
  for (double scale : {0.5, 2.}) {
    for (std::size_t classes : {2, 6, 6, 9}) {
      all.push_back({"random", samples::logits<double>(r, classes, scale),
                     samples::logits<double>(r, classes, scale)});
    }
  }
  for (pair& rows : all) {
    for (row* x : {&rows.teacher, &rows.student}) {
      for (double& y : *x) y = static_cast<double>(static_cast<T>(y));
    }
  }
  check(all, [](losses::policy p, entry const& e, pair const& rows) {
    if (e.curvature == nullptr) return true;
    auto const curvature = [&](double u) { return e.curvature(u, e.what.a); };
    double const integral =
        laws::sason_verdu(curvature, laws::softmax(rows.teacher), laws::softmax(rows.student));
    double const d = value<T>(p, e.what, rows.teacher, rows.student);
    double const bound = std::is_same_v<T, float> ? budget::law<float> : budget::quadrature;
    return std::abs(d - integral) <= bound * d;
  });
}

TEST_CASE_TEMPLATE("near p = q an f-divergence is half f''(1) times chi-squared", T, float,
                   double) {
  double const delta = std::is_same_v<T, float> ? 1e-3 : 1e-5;
  samples::random r(11);
  for (std::size_t classes : {2, 10, 100}) {
    row q = samples::logits<double>(r, classes, 1), p = samples::beside(r, q, delta, 0);
    for (row* x : {&p, &q}) {
      for (double& y : *x) y = static_cast<double>(static_cast<T>(y));
    }
    check({{nearly_equal, p, q}}, [&](losses::policy policy, entry const& e, pair const&) {
      double const curvature = e.curvature == nullptr ? 0 : e.curvature(1, e.what.a);
      if (!(curvature > 0)) return true;
      double const chi_squared = value<T>(policy, {losses::kind::pearson}, p, q);
      double const ratio = value<T>(policy, e.what, p, q) / chi_squared;
      return std::abs(ratio / (curvature / 2) - 1) <= budget::first_order * delta;
    });
  }
}

TEST_CASE_TEMPLATE("skew Jensen-Shannon over its weights tends to KL at both ends", T, float,
                   double) {
  constexpr double weight = 0x1p-20;
  for (pair const& rows : pairs<T>(12)) {
    if (rows.about != "random") continue;
    for (losses::policy policy : losses::policies) {
      auto const of = [&](losses::loss const& l) {
        return value<T>(policy, l, rows.teacher, rows.student);
      };
      double const largest = of({losses::kind::pearson}) + of({losses::kind::neyman});
      double const bound = budget::first_order * weight * largest;
      double const kl = of({losses::kind::kl}), reverse_kl = of({losses::kind::reverse_kl});
      double const scale = weight * (1 - weight);
      CHECK(std::abs(of({losses::kind::skew_js, weight}) / scale - kl) <=
            bound + budget::law<T> * kl);
      CHECK(std::abs(of({losses::kind::skew_js, 1 - weight}) / scale - reverse_kl) <=
            bound + budget::law<T> * reverse_kl);
    }
  }
}
