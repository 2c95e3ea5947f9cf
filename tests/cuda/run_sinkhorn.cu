// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <cuda/run_device.hpp>
#include <cuda/sinkhorn_device.hpp>

namespace device_test {

/// A batch's operands and targets on the device.
template <class T>
struct batch_copy {
  transport_batch<T> const& p;
  std::size_t count, rows, columns;
  array<T> costs;
  array<double> a, b, transport_cost, entropic, row_error, column_error, f, g, plan;
  array<int> sweeps;
  array<divot::transport_status> status;

  explicit batch_copy(transport_batch<T> const& x)
      : p(x),
        count(static_cast<std::size_t>(x.count)),
        rows(static_cast<std::size_t>(x.rows)),
        columns(static_cast<std::size_t>(x.columns)),
        costs(std::span<T const>(x.costs)),
        a(std::span<double const>(x.a)),
        b(std::span<double const>(x.b)),
        transport_cost(count),
        entropic(count),
        row_error(count),
        column_error(count),
        f(count * rows),
        g(count * columns),
        plan(count * rows * columns),
        sweeps(count),
        status(count) {
    for (auto* const x : {&transport_cost, &entropic, &row_error, &column_error, &f, &g, &plan}) {
      x->fill(0xff);
    }
  }
  void run(divot::cuda_policy const& policy, divot::sinkhorn_options const& options,
           divot::device_span<std::byte> memory) const {
    divot::device_transport<> to;
    to.transport_cost = transport_cost.span();
    to.entropic = entropic.span();
    to.row_error = row_error.span();
    to.column_error = column_error.span();
    to.row_potentials = {f.data(), p.count, p.rows};
    to.column_potentials = {g.data(), p.count, p.columns};
    to.sweeps = sweeps.span();
    to.status = status.span();
    to.plan = {plan.data(), p.count, p.rows, p.columns};
    to.workspace = memory;
    if (p.a.empty()) {
      divot::sinkhorn_batch(policy, stack(), options, to);
    } else {
      using masses = divot::device_view<double const>;
      divot::sinkhorn_batch(policy, stack(), masses(a.data(), p.count, p.rows),
                            masses(b.data(), p.count, p.columns), options, to);
    }
  }
  divot::device_stack<T const> stack() const { return {costs.data(), p.count, p.rows, p.columns}; }
  solved_batch fetch() const {
    solved_batch out;
    auto const take = [](auto const& from, auto& to, std::size_t size) {
      to.resize(size);
      from.fetch(to.data());
    };
    take(transport_cost, out.transport_cost, count);
    take(entropic, out.entropic, count);
    take(row_error, out.row_error, count);
    take(column_error, out.column_error, count);
    take(f, out.f, count * rows);
    take(g, out.g, count * columns);
    take(plan, out.plan, count * rows * columns);
    take(sweeps, out.sweeps, count);
    take(status, out.status, count);
    return out;
  }
};

template <class T>
solved_batch solve_as(transport_batch<T> const& p, divot::sinkhorn_options const& options,
                      how way) {
  stream const s;
  batch_copy<T> const one(p);
  array<std::byte> memory(divot::sinkhorn_batch_bytes(divot::cuda(s), one.stack()));
  memory.fill(0xff);
  if (way == how::graph) {
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t ready = nullptr;
    divot::check_cuda(cudaStreamBeginCapture(s, cudaStreamCaptureModeThreadLocal),
                      "cudaStreamBeginCapture", "a test");
    one.run(divot::cuda(s), options, memory.span());
    divot::check_cuda(cudaStreamEndCapture(s, &graph), "cudaStreamEndCapture", "a test");
    divot::check_cuda(cudaGraphInstantiate(&ready, graph, 0), "cudaGraphInstantiate", "a test");
    for (int i = 0; i < 2; ++i) {
      divot::check_cuda(cudaGraphLaunch(ready, s), "cudaGraphLaunch", "a test");
    }
    s.wait();
    cudaGraphExecDestroy(ready);
    cudaGraphDestroy(graph);
  } else {
    one.run(divot::cuda(s), options,
            way == how::workspace ? memory.span() : divot::device_span<std::byte>{});
  }
  s.wait();
  return one.fetch();
}

template <>
solved_batch solve(transport_batch<float> const& p, divot::sinkhorn_options const& options,
                   how way) {
  return solve_as(p, options, way);
}
template <>
solved_batch solve(transport_batch<double> const& p, divot::sinkhorn_options const& options,
                   how way) {
  return solve_as(p, options, way);
}

}  // namespace device_test
