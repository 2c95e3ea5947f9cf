// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Losses and gradients on a device, each as a share of what a device-to-device copy moves in the
// same process: bytes at the minimum (each logit read once, each gradient written once) over time.
// Inputs go round so that none is in the cache when its turn comes. Medians of event times.
//
//   bench_cuda_losses [--json FILE]

#include <divot/cuda.cuh>

#include "timing.cuh"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace {

struct line {
  std::string name;
  double seconds, rate, share;
};

class table {
 public:
  table(cudaStream_t stream, std::size_t bytes) : stream_(stream) {
    buffer const from(bytes), to(bytes);
    double const time = median_time(stream, [&](int) {
      check(
          cudaMemcpyAsync(to.as<void>(), from.as<void>(), bytes, cudaMemcpyDeviceToDevice, stream),
          "cudaMemcpyAsync");
    });
    copy_ = 2 * static_cast<double>(bytes) / time;
    std::printf("copy of %.2f GB: %.0f GB/s\n", 1e-9 * static_cast<double>(bytes), 1e-9 * copy_);
    std::printf("%-36s %10s %8s %8s\n", "", "ms", "GB/s", "of copy");
  }

  template <class Storage, class L>
  void add(std::string const& name, L const& what, index rows, index classes) {
    auto const count = static_cast<std::size_t>(rows * classes);
    // two teachers and students take turns: each is larger than the cache by itself
    std::vector<std::unique_ptr<buffer>> teachers, students;
    for (unsigned i = 0; i < 2; ++i) {
      for (auto* side : {&teachers, &students}) {
        side->push_back(std::make_unique<buffer>(count * sizeof(Storage)));
        fill<<<1024, 256, 0, stream_>>>(side->back()->as<Storage>(), rows * classes,
                                        side == &teachers ? 2 * i : 2 * i + 1);
      }
    }
    buffer const gradient(count * sizeof(Storage)), loss(sizeof(double));
    auto const view = [&](buffer const& b) {
      return divot::device_view<Storage>(b.as<Storage>(), rows, classes);
    };
    divot::device_batch options;
    options.loss = loss.as<double>();
    buffer const memory(divot::device_workspace_bytes(divot::cuda(stream_), what,
                                                      view(*teachers[0]), view(*students[0]),
                                                      view(gradient), options));
    options.workspace = {memory.as<std::byte>(), std::numeric_limits<index>::max()};
    double const time = median_time(stream_, [&](int i) {
      auto const at = static_cast<std::size_t>(i % 2);
      divot::value_and_gradient(divot::cuda(stream_), what, view(*teachers[at]),
                                view(*students[at]), view(gradient), options);
    });
    double const rate = 3. * static_cast<double>(count * sizeof(Storage)) / time;
    std::string const label = name + ", " + std::to_string(rows) + " x " + std::to_string(classes);
    std::printf("%-36s %10.3f %8.0f %7.0f%%\n", label.c_str(), 1e3 * time, 1e-9 * rate,
                100 * rate / copy_);
    lines_.push_back({label, time, rate, rate / copy_});
  }

  void write(char const* path, std::string const& device) const {
    std::ofstream out(path);
    out << "{\"device\": \"" << device << "\", \"copy\": " << copy_ << ", \"losses\": [";
    char const* before = "\n";
    for (auto const& l : lines_) {
      out << before << "  {\"name\": \"" << l.name << "\", \"seconds\": " << l.seconds
          << ", \"bytes_per_second\": " << l.rate << ", \"of_copy\": " << l.share << "}";
      before = ",\n";
    }
    out << "\n]}\n";
  }

 private:
  cudaStream_t stream_;
  double copy_ = 1;
  std::vector<line> lines_;
};

}  // namespace

int main(int argc, char** argv) {
  return on_device([&](cudaStream_t stream, char const* device) {
    table t(stream, std::size_t(4) << 30);
    constexpr divot::index rows = 8192, classes = 128256;
    t.add<float>("kl", divot::kl{}, rows, classes);
    t.add<float>("reverse_kl", divot::reverse_kl{}, rows, classes);
    t.add<float>("squared_hellinger", divot::squared_hellinger{}, rows, classes);
    t.add<float>("total_variation", divot::total_variation{}, rows, classes);
    t.add<float>("jensen_shannon", divot::jensen_shannon{}, rows, classes);
    t.add<float>("alpha_beta(.2,.7)", divot::alpha_beta{.alpha = .2, .beta = .7}, rows, classes);
    t.add<__nv_bfloat16>("kl, bf16", divot::kl{}, rows, classes);
    t.add<__nv_bfloat16>("jensen_shannon, bf16", divot::jensen_shannon{}, rows, classes);
    t.add<float>("kl", divot::kl{}, 65536, 1000);
    t.add<float>("kl", divot::kl{}, 1000000, 10);
    if (argc == 3 && std::strcmp(argv[1], "--json") == 0) t.write(argv[2], device);
  });
}
