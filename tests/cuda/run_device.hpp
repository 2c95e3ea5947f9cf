// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// run() for one loss and type; included by the files that instantiate it.

#include <divot/cuda.cuh>

#include <cuda/device.hpp>

#include <memory>
#include <span>
#include <stdexcept>

namespace device_test {

/// An array on the device, as long as a host array is.
template <class T>
class array {
 public:
  explicit array(std::size_t size) : size_(size) {
    void* memory = nullptr;
    divot::check_cuda(cudaMalloc(&memory, (size + 1) * sizeof(T)), "cudaMalloc", "a test's array");
    data_ = static_cast<T*>(memory);
  }
  explicit array(std::span<T const> from) : array(from.size()) {
    divot::check_cuda(cudaMemcpy(data_, from.data(), size_ * sizeof(T), cudaMemcpyHostToDevice),
                      "cudaMemcpy", "a test's array");
  }
  array(array const&) = delete;
  ~array() { cudaFree(data_); }
  void fill(int byte) { cudaMemset(data_, byte, size_ * sizeof(T)); }
  void fetch(T* to) const {
    divot::check_cuda(cudaMemcpy(to, data_, size_ * sizeof(T), cudaMemcpyDeviceToHost),
                      "cudaMemcpy", "a test's results");
  }
  T* data() const { return data_; }
  divot::device_span<T> span() const {
    return {size_ > 0 ? data_ : nullptr, static_cast<divot::index>(size_)};
  }
  divot::device_span<T const> input() const {
    return {size_ > 0 ? data_ : nullptr, static_cast<divot::index>(size_)};
  }

 private:
  T* data_ = nullptr;
  std::size_t size_;
};

/// One copy of a call's operands and targets on the device.
template <class T>
struct copy {
  parity::call<T> const& c;
  bool in_place;
  std::size_t size;
  array<T> teacher, student, g, h;
  array<double> weights, upstream, temperatures, loss, per_row;
  array<std::uint8_t> mask;
  array<std::int64_t> labels;
  array<divot::index> classes;
  array<divot::device_status> status;

  copy(parity::call<T> const& call, bool same)
      : c(call),
        in_place(same),
        size(static_cast<std::size_t>(call.student.rows * call.student.cols)),
        teacher(std::span(call.teacher.data, size)),
        student(std::span(call.student.data, size)),
        g(size),
        h(size),
        weights(call.options.weights),
        upstream(call.options.upstream),
        temperatures(call.options.temperatures),
        loss(1),
        per_row(call.options.per_row.size()),
        mask(call.options.mask),
        labels(call.options.labels),
        classes(call.options.valid_classes_per_row),
        status(1) {
    if (call.accumulate) {
      cudaMemcpy(g.data(), call.student_gradient.data, size * sizeof(T), cudaMemcpyHostToDevice);
      cudaMemcpy(h.data(), call.teacher_gradient.data, size * sizeof(T), cudaMemcpyHostToDevice);
    } else {
      g.fill(0xff);  // NaN
      h.fill(0xff);
    }
    loss.fill(0xff);
    per_row.fill(0xff);
    status.fill(0);
  }
  divot::device_view<T> view(array<T> const& x) const {
    return {x.data(), c.student.rows, c.student.cols};
  }
  auto where() const {
    return divot::device_gradients{view(in_place ? student : g), view(in_place ? teacher : h),
                                   c.accumulate, c.scale};
  }
  divot::device_batch options() const {
    divot::device_batch b;
    b.reduction = c.options.reduction;
    b.weights = weights.input();
    b.upstream = upstream.input();
    b.mask = mask.input();
    b.labels = labels.input();
    b.normaliser = c.options.normaliser;
    b.valid_classes = c.options.valid_classes;
    b.valid_classes_per_row = classes.input();
    b.temperatures = temperatures.input();
    b.loss = loss.data();
    b.per_row = per_row.span();
    b.status = status.data();
    return b;
  }
  template <class L>
  void run(divot::cuda_policy const& policy, L const& what, divot::device_span<std::byte> memory) {
    auto b = options();
    b.workspace = memory;
    divot::value_and_gradient(policy, what, divot::logits(view(teacher), c.teacher_temperature),
                              divot::logits(view(student), c.student_temperature), where(), b);
  }
  template <class L>
  std::size_t needs(L const& what) {
    return divot::device_workspace_bytes(
        divot::cuda, what, divot::logits(view(teacher), c.teacher_temperature),
        divot::logits(view(student), c.student_temperature), where(), options());
  }
  found fetch() const {
    found out;
    (in_place ? student : g).fetch(c.student_gradient.data);
    if (c.teacher_gradient.data != nullptr) (in_place ? teacher : h).fetch(c.teacher_gradient.data);
    loss.fetch(&out.loss);
    if (!c.options.per_row.empty()) per_row.fetch(c.options.per_row.data());
    divot::device_status s;
    status.fetch(&s);
    out.bad_rows = s.bad_rows;
    if (s.bad_rows > 0) out.first_bad = static_cast<divot::index>(~s.first_bad_inverted);
    return out;
  }
};

class stream {
 public:
  stream() { divot::check_cuda(cudaStreamCreate(&s_), "cudaStreamCreate", "a test's stream"); }
  stream(stream const&) = delete;
  ~stream() { cudaStreamDestroy(s_); }
  operator cudaStream_t() const { return s_; }
  void wait() const {
    divot::check_cuda(cudaStreamSynchronize(s_), "cudaStreamSynchronize", "a test");
  }

 private:
  cudaStream_t s_ = nullptr;
};

template <class T, class L>
found run_as(L const& what, parity::call<T> const& c, how way, bool in_place) {
  stream const first;
  copy<T> one(c, in_place);
  switch (way) {
    case how::plain:
      one.run(divot::cuda(first), what, {});
      break;
    case how::workspace: {
      auto const bytes = one.needs(what);
      array<std::byte> memory(bytes);
      memory.fill(0xff);
      one.run(divot::cuda(first), what, memory.span());
      first.wait();
      break;
    }
    case how::graph: {
      auto const bytes = one.needs(what);
      array<std::byte> memory(bytes);
      cudaGraph_t graph = nullptr;
      cudaGraphExec_t ready = nullptr;
      divot::check_cuda(cudaStreamBeginCapture(first, cudaStreamCaptureModeThreadLocal),
                        "cudaStreamBeginCapture", "a test");
      one.run(divot::cuda(first), what, memory.span());
      divot::check_cuda(cudaStreamEndCapture(first, &graph), "cudaStreamEndCapture", "a test");
      divot::check_cuda(cudaGraphInstantiate(&ready, graph, 0), "cudaGraphInstantiate", "a test");
      for (int i = 0; i < 2; ++i) {
        divot::check_cuda(cudaGraphLaunch(ready, first), "cudaGraphLaunch", "a test");
      }
      first.wait();
      cudaGraphExecDestroy(ready);
      cudaGraphDestroy(graph);
      break;
    }
    case how::two_streams: {
      stream const second;
      copy<T> other(c, in_place);
      one.run(divot::cuda(first), what, {});
      other.run(divot::cuda(second), what, {});
      first.wait();
      second.wait();
      std::vector<T> a(one.size), b(one.size);
      (in_place ? one.student : one.g).fetch(a.data());
      (in_place ? other.student : other.g).fetch(b.data());
      if (a != b) throw std::logic_error("two streams have given different bits");
      break;
    }
  }
  first.wait();
  return one.fetch();
}

}  // namespace device_test
