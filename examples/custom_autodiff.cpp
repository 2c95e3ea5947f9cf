// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// How to plug divot into an automatic differentiation of your own: two nodes of this little tape
// are divot's, `softmax` with softmax_pullback and `distil` with the gradient of any divergence.
// A student with a softmax gate learns what a teacher knows.
#include <divot/divot.hpp>

#include <Eigen/Core>

#include <cmath>
#include <cstdio>
#include <deque>
#include <functional>
#include <random>
#include <vector>

using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A value, the derivative of the last node with respect to it, and what passes that on.
struct node {
  matrix value, gradient;
  std::function<void()> pull;
};

class tape {
 public:
  node& add(matrix const& value) {
    return nodes_.emplace_back(node{value, matrix::Zero(value.rows(), value.cols()), [] {}});
  }
  node& multiply(node& a, node& b) {
    node& y = add(a.value * b.value);
    y.pull = [&] {
      a.gradient += y.gradient * b.value.transpose();
      b.gradient += a.value.transpose() * y.gradient;
    };
    return y;
  }
  node& each_times(node& a, node& b) {
    node& y = add(a.value.cwiseProduct(b.value));
    y.pull = [&] {
      a.gradient += y.gradient.cwiseProduct(b.value);
      b.gradient += y.gradient.cwiseProduct(a.value);
    };
    return y;
  }

  /// divot's softmax; its pullback needs the result alone.
  node& softmax(node& x) {
    node& y = add(x.value);
    divot::softmax(divot::simd, x.value, y.value);
    y.pull = [&] {
      divot::softmax_pullback(divot::simd, y.value, y.gradient, divot::accumulate(x.gradient));
    };
    return y;
  }
  /// Any loss of divot's, as a 1 × 1 node; the pull adds upstream · ∂loss/∂student.
  template <divot::loss L>
  node& distil(L const& what, matrix const& teacher, node& student) {
    node& y = add(matrix::Constant(1, 1, divot::value(what, teacher, student.value)));
    y.pull = [&, what] {
      divot::gradient(what, teacher, student.value,
                      divot::accumulate(student.gradient, y.gradient(0, 0)));
    };
    return y;
  }

  /// Derivatives of the last node with respect to every other.
  void backward() {
    nodes_.back().gradient.setOnes();
    for (auto n = nodes_.rbegin(); n != nodes_.rend(); ++n) n->pull();
  }

 private:
  std::deque<node> nodes_;  // a deque: references to nodes stay good
};

int main() {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  auto const draw = [&](Eigen::Index rows, Eigen::Index cols) {
    return matrix(matrix::NullaryExpr(rows, cols, [&] { return normal(random); }));
  };
  matrix const x = draw(256, 6);
  matrix const teacher = (x * draw(6, 24)).cwiseMax(0) * draw(24, 5) / 4;
  std::vector<matrix> weights{draw(6, 12), draw(6, 12), draw(12, 5)}, gradients;
  auto const loss = divot::at(2, 0.5 * divot::kl{} + 0.5 * divot::jensen_shannon{});

  auto const run = [&] {
    tape t;
    node& input = t.add(x);
    node &in = t.add(weights[0]), &gate = t.add(weights[1]), &out = t.add(weights[2]);
    node& hidden = t.each_times(t.multiply(input, in), t.softmax(t.multiply(input, gate)));
    node& result = t.distil(loss, teacher, t.multiply(hidden, out));
    t.backward();
    gradients = {in.gradient, gate.gradient, out.gradient};
    return result.value(0, 0);
  };

  // a small step of the gate's weights along their gradient must raise the loss by step·‖gradient‖²
  float const first = run(), step = 0.2f;
  matrix const slope = gradients[1];
  weights[1] += step * slope;
  float const ratio = (run() - first) / (step * slope.squaredNorm());
  std::printf("finite difference / tape: %.3f\n", double(ratio));

  float last = first;
  std::vector<matrix> velocity{0 * weights[0], 0 * weights[1], 0 * weights[2]};
  for (int i = 0; i <= 300; ++i) {
    last = run();
    if (i % 50 == 0) std::printf("step %3d  loss %.5f\n", i, double(last));
    for (std::size_t w = 0; w < weights.size(); ++w) {
      velocity[w] = 0.9f * velocity[w] - 2 * gradients[w];
      weights[w] += velocity[w];
    }
  }
  return std::abs(ratio - 1) < 0.05f && last < 0.1f * first ? 0 : 1;
}
