// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Transport on a device: batches of Sinkhorn problems by what an entry and sweep takes, and SinKD
// with its student's gradient by what a term of its costs takes. Medians of event times.
//
//   bench_cuda_transport [--json FILE]

#include <divot/cuda.cuh>

#include "timing.cuh"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

namespace {

class table {
 public:
  explicit table(cudaStream_t stream) : stream_(stream) {
    std::printf("%-44s %10s %14s\n", "", "ms", "ps per unit");
  }

  /// A unit is an entry of a problem in a sweep. sweeps 0: until 1e-5.
  template <class Storage>
  void add_batch(char const* name, index count, index size, int sweeps) {
    auto const entries = static_cast<std::size_t>(count * size * size);
    buffer const costs(entries * sizeof(Storage)),
        values(static_cast<std::size_t>(count) * sizeof(double));
    fill<<<1024, 256, 0, stream_>>>(costs.as<Storage>(), count * size * size, 1u);
    divot::device_stack<Storage const> const stack(costs.as<Storage>(), count, size, size);
    divot::device_transport<> to;
    to.entropic = {values.as<double>(), count};
    std::size_t const bytes = divot::sinkhorn_batch_bytes(divot::cuda(stream_), stack);
    buffer const memory(bytes);
    to.workspace = {memory.as<std::byte>(), static_cast<index>(bytes)};
    // costs in [−4, 4): ε as large a part of them as .1 is of [0, 1)
    double const time = median_time(stream_, [&](int) {
      divot::sinkhorn_batch(divot::cuda(stream_), stack,
                            {.epsilon = .8, .tolerance = 1e-5, .sweeps = sweeps}, to);
    });
    std::string label = std::string(name) + ", " + std::to_string(count) + " of " +
                        std::to_string(size) + " x " + std::to_string(size);
    label += sweeps > 0 ? ", " + std::to_string(sweeps) + " sweeps" : ", to 1e-5";
    add(label, time, static_cast<double>(entries) * (sweeps > 0 ? sweeps : 1));
  }

  /// A unit is a class of a pair of rows.
  template <class Storage>
  void add_sinkd(char const* name, index rows, index classes, index length) {
    auto const count = static_cast<std::size_t>(rows * classes);
    buffer const teacher(count * sizeof(Storage)), student(count * sizeof(Storage)),
        gradient(count * sizeof(Storage)), loss(sizeof(double));
    fill<<<1024, 256, 0, stream_>>>(teacher.as<Storage>(), rows * classes, 0u);
    fill<<<1024, 256, 0, stream_>>>(student.as<Storage>(), rows * classes, 1u);
    auto const view = [&](buffer const& b) {
      return divot::device_view<Storage>(b.as<Storage>(), rows, classes);
    };
    divot::sinkd const what{.rows_per_problem = length};
    divot::device_batch options;
    options.loss = loss.as<double>();
    std::size_t const bytes = divot::device_workspace_bytes(
        divot::cuda(stream_), what, view(teacher), view(student), view(gradient), options);
    buffer const memory(bytes);
    options.workspace = {memory.as<std::byte>(), static_cast<index>(bytes)};
    double const time = median_time(stream_, [&](int) {
      divot::value_and_gradient(divot::cuda(stream_), what, view(teacher), view(student),
                                view(gradient), options);
    });
    std::string label =
        std::string(name) + ", " + std::to_string(rows) + " x " + std::to_string(classes);
    if (length > 0) label += ", in sequences of " + std::to_string(length);
    add(label, time, static_cast<double>(count) * static_cast<double>(length > 0 ? length : rows));
  }

  void write(char const* path, std::string const& device) const {
    std::ofstream out(path);
    out << "{\"device\": \"" << device << "\", \"transport\": [";
    char const* before = "\n";
    for (auto const& l : lines_) {
      out << before << "  {\"name\": \"" << l.name << "\", \"seconds\": " << l.seconds
          << ", \"seconds_per_unit\": " << l.seconds / l.units << "}";
      before = ",\n";
    }
    out << "\n]}\n";
  }

 private:
  struct line {
    std::string name;
    double seconds, units;
  };

  void add(std::string const& label, double time, double units) {
    std::printf("%-44s %10.3f %14.3f\n", label.c_str(), 1e3 * time, 1e12 * time / units);
    lines_.push_back({label, time, units});
  }

  cudaStream_t stream_;
  std::vector<line> lines_;
};

}  // namespace

int main(int argc, char** argv) {
  return on_device([&](cudaStream_t stream, char const* device) {
    table t(stream);
    t.add_batch<float>("sinkhorn", 4096, 64, 20);
    t.add_batch<float>("sinkhorn", 4096, 64, 0);
    t.add_batch<float>("sinkhorn", 16384, 32, 20);
    t.add_batch<float>("sinkhorn", 64, 512, 20);
    t.add_sinkd<float>("sinkd", 512, 32000, 0);
    t.add_sinkd<float>("sinkd", 64, 32000, 0);
    t.add_sinkd<float>("sinkd", 4096, 1000, 64);
    t.add_sinkd<__nv_bfloat16>("sinkd, bf16", 512, 32000, 0);
    if (argc == 3 && std::strcmp(argv[1], "--json") == 0) t.write(argv[2], device);
  });
}
